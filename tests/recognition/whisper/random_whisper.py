"""A small multilingual Whisper of random weights, in the file that CTranslate2 reads."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

from .scripted import SPECIAL, write_tokens

WIDTH, HEADS, LAYERS, FRAMES, POSITIONS = 64, 2, 2, 1500, 448
BYTES = 256
NAMES = [*(f"byte{number}" for number in range(BYTES)), *SPECIAL, "<|nospeech|>"]
_NUMBERS = {np.dtype(np.float32): 0, np.dtype(np.int8): 1, np.dtype(np.int16): 2, np.dtype(np.float16): 4}


def write_whisper(directory: Path, seed: int = 0) -> Path:
    """Write all files of a network that both implementations load."""
    directory.mkdir(exist_ok=True)
    write_tokens(directory / "tokenizer.json")
    (directory / "vocabulary.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
    config = {
        "suppress_ids": [10, NAMES.index("<|transcribe|>")],
        "suppress_ids_begin": [32, NAMES.index("<|endoftext|>")],
        "lang_ids": [NAMES.index("<|zh|>"), NAMES.index("<|en|>")],
        "alignment_heads": [[1, 0], [1, 1]],
    }
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_arrays(directory / "model.bin", arrays(seed))
    return directory


def write_arrays(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as CTranslate2 does."""
    parts = [struct.pack("<I", 6), _text("WhisperSpec"), struct.pack("<II", 3, len(arrays))]
    for name, array in arrays.items():
        shape = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        parts += [
            _text(name),
            shape,
            struct.pack("<BI", _NUMBERS[array.dtype], array.nbytes),
            array.tobytes(),
        ]
    parts += [struct.pack("<I", 1), _text("decoder/projection/weight"), _text("decoder/embeddings/weight")]
    file.write_bytes(b"".join(parts))


def _text(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def arrays(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)

    def random(*shape: int, scale: float = 0.0) -> np.ndarray:
        return rng.normal(0, scale or shape[-1] ** -0.5, shape).astype(np.float16)

    def norm(name: str) -> dict[str, np.ndarray]:
        return {
            f"{name}/gamma": (1 + random(WIDTH, scale=0.1)).astype(np.float16),
            f"{name}/beta": random(WIDTH, scale=0.1),
        }

    def linear(name: str, outputs: int, inputs: int) -> dict[str, np.ndarray]:
        return {f"{name}/weight": random(outputs, inputs), f"{name}/bias": random(outputs, scale=0.1)}

    def attention(name: str, *, is_cross: bool = False) -> dict[str, np.ndarray]:
        first = {"linear_0": WIDTH, "linear_1": 2 * WIDTH} if is_cross else {"linear_0": 3 * WIDTH}
        layers = [*first.values(), WIDTH]
        found = norm(f"{name}/layer_norm")
        for number, outputs in enumerate(layers):
            found |= linear(f"{name}/linear_{number}", outputs, WIDTH)
        return found

    def feed_forward(name: str) -> dict[str, np.ndarray]:
        first = linear(f"{name}/linear_0", 4 * WIDTH, WIDTH)
        return norm(f"{name}/layer_norm") | first | linear(f"{name}/linear_1", WIDTH, 4 * WIDTH)

    found: dict[str, np.ndarray] = {
        "encoder/num_heads": np.array(HEADS, np.int16),
        "encoder/conv1/weight": random(WIDTH, 80, 3, scale=0.08),
        "encoder/conv1/bias": random(WIDTH, scale=0.1),
        "encoder/conv2/weight": random(WIDTH, WIDTH, 3, scale=0.08),
        "encoder/conv2/bias": random(WIDTH, scale=0.1),
        "encoder/position_encodings/encodings": random(FRAMES, WIDTH, scale=0.3),
        "decoder/num_heads": np.array(HEADS, np.int16),
        "decoder/activation": np.array(3, np.int8),
        "decoder/pre_norm": np.array(1, np.int8),
        "decoder/alibi": np.array(0, np.int8),
        "decoder/scale_embeddings": np.array(0, np.int8),
        "decoder/start_from_zero_embedding": np.array(0, np.int8),
        "decoder/alignment_heads": np.array(1, np.int16),
        "decoder/alignment_layer": np.array(-1, np.int16),
        "decoder/embeddings/weight": random(len(NAMES), WIDTH, scale=0.3),
        # Larger than the tokens: what comes next does not depend on the token before alone.
        "decoder/position_encodings/encodings": random(POSITIONS, WIDTH, scale=1.0),
    }
    found |= norm("encoder/layer_norm") | norm("decoder/layer_norm")
    for number in range(LAYERS):
        for half in ("encoder", "decoder"):
            found |= attention(f"{half}/layer_{number}/self_attention")
            found |= feed_forward(f"{half}/layer_{number}/ffn")
        found |= attention(f"decoder/layer_{number}/attention", is_cross=True)
    return found
