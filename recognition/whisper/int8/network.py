"""Whisper on a CPU with 8-bit products of our own: encoder, decoder and search put together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from recognition.exceptions import ModelError
from recognition.int8 import matmul_vnni
from recognition.int8.products import Rows, result
from recognition.whisper.network import CONFIG, NAMES, WEIGHTS, Hypothesis, Search, check_files
from recognition.whisper.weights import read_weights

from . import alignment
from .decoder import Audio, Decoder, Next, Nodes
from .encoder import Encoder
from .search import Branch, mean
from .tokens import Tokens
from .writing import Text, Writer

_NO_SPEECH = ("<|nospeech|>", "<|nocaptions|>")
"""Names of the token that says that nobody speaks, in newer and older vocabularies."""


def is_supported() -> bool:
    """Tell whether this CPU has the products that make it faster than CTranslate2."""
    return matmul_vnni.is_supported()


@dataclass(slots=True)
class Encoded:
    """A batch as it was encoded."""

    encoding: np.ndarray
    audio: Audio


class OwnNetwork:
    """A `Network` in 8-bit integers, for CPUs for which `is_supported`.

    Args:
        directory: Holds `network.FILES`.

    Raises:
        ModelError: If a file is missing or damaged.
    """

    def __init__(self, directory: Path) -> None:
        check_files(directory)
        weights = read_weights(directory / WEIGHTS)
        names = (directory / NAMES).read_text(encoding="utf-8").split("\n")
        try:
            config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
            self._suppressed = frozenset(config["suppress_ids"])
            self._hidden_at_first = tuple(config["suppress_ids_begin"])
            self._languages = {int(number): names[number].strip("<|>") for number in config["lang_ids"]}
            self._end, self._start = names.index("<|endoftext|>"), names.index("<|startoftranscript|>")
            self._no_speech = next(names.index(name) for name in _NO_SPEECH if name in names) - self._end
            self._encoder = Encoder(weights)
            self._decoder = Decoder(weights, [(layer, head) for layer, head in config["alignment_heads"]])
        except (ValueError, KeyError, IndexError, TypeError, StopIteration) as error:
            raise ModelError(
                f"{directory} holds no multilingual Whisper that can be read: {error}"
            ) from error
        self._special = self._decoder.project(np.arange(self._end, self._decoder.tokens))
        self._tokens: dict[frozenset[int], Tokens] = {}

    def encode(self, features: Sequence[np.ndarray]) -> Encoded:
        encoding = self._encoder.encode(features)
        return Encoded(encoding, self._decoder.listen(encoding))

    def decode(
        self,
        encoded: Encoded,
        prompts: Sequence[Sequence[int]],
        search: Search,
        *,
        max_tokens: int,
        drafts: Sequence[Sequence[int]] = (),
    ) -> list[list[Hypothesis]]:
        nodes, tokens = self._decoder.nodes(), self._wanted(search.suppressed)
        rows, paths = self._decoder.read(
            encoded.audio, nodes, [Next(number, (), prompt) for number, prompt in enumerate(prompts)]
        )
        ends = list(accumulate(map(len, prompts)))
        starts = [
            end - len(prompt) + prompt.index(self._start) for end, prompt in zip(ends, prompts, strict=True)
        ]
        no_speech = self._after_start(rows.take(starts))[:, self._no_speech]
        count = 2 * search.beam if search.beam > 1 else 1
        behind = rows.take([end - 1 for end in ends])
        first = tokens.rank(behind, [()] * len(prompts), 1.0, count=count, is_first=True)
        drafts = drafts or [()] * len(prompts)
        texts = [Text(*each) for each in zip(range(len(prompts)), paths, first, drafts, strict=True)]
        writer = Writer(self._decoder, encoded.audio, nodes, tokens, search, max_tokens)
        if search.beam > 1:
            found = writer.follow(texts)
        else:
            write = writer.keep if search.between else writer.write
            found = [[branch] for branch in write(texts)]
        return [
            [_hypothesis(branch, nodes, len(prompt), float(doubt)) for branch in branches]
            for branches, prompt, doubt in zip(found, prompts, no_speech, strict=True)
        ]

    def align(
        self, encoded: Encoded, start: Sequence[int], hypotheses: Sequence[Hypothesis], frames: Sequence[int]
    ) -> list[list[tuple[int, int]]]:
        return [
            alignment.path(each.watching[: len(each.ids) + 1, :, : count // 2]) if each.ids else []
            for each, count in zip(hypotheses, frames, strict=True)
        ]

    def languages(self, encoded: Encoded) -> list[dict[str, float]]:
        start = [Next(number, (), [self._start]) for number in range(len(encoded.encoding))]
        rows, _ = self._decoder.read(encoded.audio, self._decoder.nodes(), start)
        places = [number - self._end for number in self._languages]
        probabilities = self._after_start(rows)[:, places]
        return [
            dict(zip(self._languages.values(), (own / own.sum()).tolist(), strict=True))
            for own in probabilities
        ]

    def _wanted(self, suppressed: frozenset[int]) -> Tokens:
        if suppressed not in self._tokens:
            unwanted = list(self._suppressed | suppressed)
            numbers = np.append(np.setdiff1d(np.arange(self._end), unwanted), self._end)
            self._tokens[suppressed] = Tokens(self._decoder, numbers, self._hidden_at_first)
        return self._tokens[suppressed]

    def _after_start(self, rows: Rows) -> np.ndarray:
        """Return the probabilities of special tokens, of which one comes first, shape (m, specials)."""
        scores = result(self._special(rows))
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


def _hypothesis(branch: Branch, nodes: Nodes, prompt: int, no_speech: float) -> Hypothesis:
    watching = np.stack([nodes.watching[node] for node in branch.path[prompt - 1 :]])
    return Hypothesis(list(branch.ids), mean(branch), no_speech, watching)
