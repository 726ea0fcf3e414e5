"""Steps between the products of Whisper's layers, compiled by Numba: see `recognition.int8.kernels`.

Keys and values of the audio are bfloat16, the upper half of a float32: reading them is what costs. A step has
few rows, and most of them look at the same audio: what is read for one serves all of its utterance.
"""

from __future__ import annotations

import numpy as np

from recognition.int8.kernels import compiled, empty_row, inlined, merged, quantize_row, widen_product
from recognition.int8.llvm_tiles import ROUND, use_whole_registers

_F = np.float32
_I = np.int32
_SIXTEEN = _I(16)
_ROUND = _I(ROUND)
_LOG2_E = _F(1.4426950408889634)
_LEAST = _F(-1e30)
_MAX_EXPONENT = _F(126)

# Of 2 ** x between 0 and 1, by least squares of the relative error: 2e-6 off at most.
_C1, _C2, _C3, _C4, _C5 = _F(0.69314718), _F(0.24022651), _F(0.05550411), _F(0.00961813), _F(0.00133336)


@merged
def _raise_two(x, bits):
    """Replace numbers by 2 to their power."""
    for d in range(x.shape[0]):
        exponent = min(max(x[d], -_MAX_EXPONENT), _MAX_EXPONENT)
        whole = np.floor(exponent)
        f = exponent - whole
        x[d] = _F(1) + f * (_C1 + f * (_C2 + f * (_C3 + f * (_C4 + f * _C5))))
        bits[d] += _I(whole) << _I(23)


@inlined
def _largest(x):
    use_whole_registers()
    largest = _LEAST
    for d in range(x.shape[0]):
        largest = max(largest, x[d])
    return largest


@merged
def _exponentials(x, largest, powers, bits):
    """Write e to the power of numbers, of which the largest is known, relative to it; return their sum."""
    for d in range(x.shape[0]):
        powers[d] = (x[d] - largest) * _LOG2_E
    _raise_two(powers, bits)
    total = _F(0)
    for d in range(x.shape[0]):
        total += powers[d]
    return total


@inlined
def _softmax(row, count):
    """Replace the first numbers of a row by their softmax."""
    use_whole_registers()
    numbers, bits = row.numbers[:count], row.bits[:count]
    total = _exponentials(numbers, _largest(numbers), numbers, bits)
    for j in range(count):
        numbers[j] /= total


@compiled
def dequantize(y, out):
    """Write what a product, which is bfloat16, stands for as float32, shape (m, outputs)."""
    use_whole_registers()
    row = empty_row(y.values.shape[1])
    for m in range(y.values.shape[0]):
        widen_product(y, m, row)
        for d in range(row.numbers.shape[0]):
            out[m, d] = row.numbers[d]


@compiled
def gelu_quantize(y, out):
    """Quantise `gelu` of a product, which is bfloat16, around 128; 5e-4 off at most.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016 (the form with tanh).
    """
    use_whole_registers()
    row, power = empty_row(y.values.shape[1]), empty_row(y.values.shape[1])
    slope, bend = _F(-2 * 0.7978845608) * _LOG2_E, _F(0.044715)
    for m in range(y.values.shape[0]):
        widen_product(y, m, row)
        for d in range(row.numbers.shape[0]):
            x = row.numbers[d]
            power.numbers[d] = slope * (x + bend * x * x * x)
        _raise_two(power.numbers, power.bits)
        for d in range(row.numbers.shape[0]):
            row.numbers[d] /= _F(1) + power.numbers[d]
        quantize_row(row, out, m)


@compiled
def split_context(y, keys, values):
    """Write a product of keys and values by head, as bfloat16.

    Args:
        y: float32, shape (utterances * frames, 2 * width).
        keys: To fill, uint16, shape (utterances, heads, size, frames).
        values: To fill, uint16, shape (utterances, heads, frames, size).
    """
    use_whole_registers()
    utterances, heads, frames, size = values.shape
    width = heads * size
    row = empty_row(2 * width)
    for u in range(utterances):
        for j in range(frames):
            m = u * frames + j
            factor = y.scale[m]
            for d in range(2 * width):
                row.numbers[d] = y.values[m, d] * factor + y.bias[d]
            for h in range(heads):
                for d in range(size):
                    keys[u, h, d, j] = (row.bits[h * size + d] + _ROUND) >> _SIXTEEN
                for d in range(size):
                    values[u, h, j, d] = (row.bits[width + h * size + d] + _ROUND) >> _SIXTEEN


@inlined
def _product(a, b):
    use_whole_registers()
    total = _F(0)
    for d in range(a.shape[0]):
        total += a[d] * b[d]
    return total


@inlined
def _add_weighted(weight, value, found):
    use_whole_registers()
    for d in range(found.shape[0]):
        found[d] += weight * value[d]


@compiled
def attend_to_path(y, heads, nodes, paths, lengths, keys, values, out):
    """Keep the keys and values of tokens, and let each look at those on its path.

    Args:
        y: Product of queries (scaled), keys and values, float32, shape (m, 3 * width).
        nodes: Where each row's key and value are kept, shape (m,).
        paths: Nodes that each row sees, its own the last, shape (m, longest).
        lengths: How many they are, shape (m,).
        keys, values: What is kept, float32, shape (nodes, width).
        out: To fill: attended values, quantised.
    """
    use_whole_registers()
    width = keys.shape[1]
    size = width // heads
    for m in range(nodes.shape[0]):
        factor, node = y.scale[m], nodes[m]
        for d in range(width):
            keys[node, d] = y.values[m, width + d] * factor + y.bias[width + d]
            values[node, d] = y.values[m, 2 * width + d] * factor + y.bias[2 * width + d]
    heads_found = np.empty(width, np.float32)
    row, scores = empty_row(width), empty_row(paths.shape[1])
    for m in range(nodes.shape[0]):
        factor, path = y.scale[m], paths[m, : lengths[m]]
        for d in range(width):
            row.numbers[d] = y.values[m, d] * factor + y.bias[d]
        for head in range(0, width, size):
            query, found = row.numbers[head : head + size], heads_found[head : head + size]
            for j in range(path.shape[0]):
                scores.numbers[j] = _product(query, keys[path[j], head : head + size])
            _softmax(scores, path.shape[0])
            for d in range(size):
                found[d] = _F(0)
            for j in range(path.shape[0]):
                _add_weighted(scores.numbers[j], values[path[j], head : head + size], found)
        for d in range(width):
            row.numbers[d] = heads_found[d]
        quantize_row(row, out, m)


@merged
def _widen_head(bits, into):
    """Copy a head's bfloat16, shape (a, b), to the bits of float32."""
    for a in range(bits.shape[0]):
        for b in range(bits.shape[1]):
            into[a, b] = _I(bits[a, b]) << _SIXTEEN


@merged
def _score(query, key, scores):
    """Set scores to the query's products with all keys, shape (size, frames); size divides by four."""
    for j in range(scores.shape[0]):
        scores[j] = _F(0)
    for d in range(0, key.shape[0], 4):
        q0, q1, q2, q3 = query[d], query[d + 1], query[d + 2], query[d + 3]
        k0, k1, k2, k3 = key[d], key[d + 1], key[d + 2], key[d + 3]
        for j in range(scores.shape[0]):
            scores[j] += q0 * k0[j] + q1 * k1[j] + q2 * k2[j] + q3 * k3[j]


@merged
def _weigh(weights, value, found):
    """Set `found` to the weighted sum of values, shape (frames, size)."""
    for d in range(found.shape[0]):
        found[d] = _F(0)
    fours = value.shape[0] // 4 * 4
    for j in range(fours, value.shape[0]):
        for d in range(found.shape[0]):
            found[d] += weights[j] * value[j, d]
    for j in range(0, fours, 4):
        w0, w1, w2, w3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        v0, v1, v2, v3 = value[j], value[j + 1], value[j + 2], value[j + 3]
        for d in range(found.shape[0]):
            found[d] += w0 * v0[d] + w1 * v1[d] + w2 * v2[d] + w3 * v3[d]


@compiled
def attend_to_audio(y, bounds, utterances, keys, values, watched, out, watching):
    """Let tokens look at the audio of their utterance.

    Args:
        y: Product of queries (scaled), float32, shape (m, width).
        bounds: First row of each utterance that has rows, and the end.
        utterances: The number of each of these.
        keys, values: See `split_context`.
        watched: Heads whose scores are wanted, shape (w,).
        out: To fill: attended values, quantised.
        watching: To fill: these scores, float32, shape (m, w, frames).
    """
    use_whole_registers()
    _, heads, frames, size = values.shape
    width = heads * size
    key, value = np.empty((size, frames), np.float32), np.empty((frames, size), np.float32)
    key_bits, value_bits = key.view(np.int32), value.view(np.int32)
    found = np.empty((y.values.shape[0], width), np.float32)
    query, scores, row = np.empty(size, np.float32), empty_row(frames), empty_row(width)
    for number in range(utterances.shape[0]):
        u = utterances[number]
        for h in range(heads):
            head = h * size
            _widen_head(keys[u, h], key_bits)
            _widen_head(values[u, h], value_bits)
            for m in range(bounds[number], bounds[number + 1]):
                for d in range(size):
                    query[d] = y.values[m, head + d] * y.scale[m] + y.bias[head + d]
                _score(query, key, scores.numbers)
                for w in range(watched.shape[0]):
                    if watched[w] == h:
                        for j in range(frames):
                            watching[m, w, j] = scores.numbers[j]
                _softmax(scores, frames)
                _weigh(scores.numbers, value, found[m, head : head + size])
    for m in range(found.shape[0]):
        for d in range(width):
            row.numbers[d] = found[m, d]
        quantize_row(row, out, m)


@compiled
def rank(y, hidden, said, penalty, ids, scores):
    """Find the likeliest tokens of each row, in order, and their log probabilities: as many as fit.

    Args:
        y: Product of all tokens that may come, float32, shape (m, tokens), without bias.
        hidden: Columns of those that may not come this time.
        said: Columns of tokens that came before in each row, each once, -1 behind them, shape (m, longest).
        penalty: By so much less likely are these.
        ids, scores: To fill, shape (m, k): columns, and what comes filled with minus infinity.
    """
    use_whole_registers()
    tokens = y.values.shape[1]
    row, power = empty_row(tokens), empty_row(tokens)
    for m in range(y.values.shape[0]):
        factor = y.scale[m]
        for d in range(tokens):
            row.numbers[d] = y.values[m, d] * factor
        for j in range(said.shape[1]):
            if said[m, j] >= 0:
                score = row.numbers[said[m, j]]
                row.numbers[said[m, j]] = score * penalty if score < 0 else score / penalty
        for j in range(hidden.shape[0]):
            row.numbers[hidden[j]] = _LEAST
        largest = _largest(row.numbers)
        total = _exponentials(row.numbers, largest, power.numbers, power.bits)
        _keep_best(row.numbers, largest + np.log(total), ids[m], scores[m])


@inlined
def _keep_best(numbers, subtracted, ids, scores):
    last = scores.shape[0] - 1
    for d in range(numbers.shape[0]):
        if numbers[d] - subtracted > scores[last]:
            score, at = numbers[d] - subtracted, last
            while at and score > scores[at - 1]:
                scores[at], ids[at] = scores[at - 1], ids[at - 1]
                at -= 1
            scores[at], ids[at] = score, d
