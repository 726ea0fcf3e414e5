"""Weights of Whisper base as CTranslate2 converts it, under the names that OpenAI gave them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recognition.whisper.weights import read_weights

DIMENSIONS = {
    "n_mels": 80,
    "n_vocab": 51865,
    "n_audio_ctx": 1500,
    "n_text_ctx": 448,
    **{f"n_{side}_state": 512 for side in ("audio", "text")},
    **{f"n_{side}_head": 8 for side in ("audio", "text")},
    **{f"n_{side}_layer": 6 for side in ("audio", "text")},
}
"""Of Whisper base, as OpenAI's files have them beside the weights."""


def write_checkpoint(weights: Path, file: Path) -> None:
    """Write the file that OpenAI publishes as base.pt, float16, from a model.bin of Whisper base."""
    halves = {name: tensor.half() for name, tensor in state_dict(weights).items()}
    torch.save({"dims": DIMENSIONS, "model_state_dict": halves}, file)


def state_dict(file: Path) -> dict[str, Tensor]:
    """Return the weights for OpenAI's module, float32."""
    arrays = {name: torch.from_numpy(array.astype(np.float32)) for name, array in read_weights(file).items()}
    found = dict(_renamed(arrays))
    for number in (1, 2):
        for part in ("weight", "bias"):
            found[f"encoder.conv{number}.{part}"] = arrays[f"encoder/conv{number}/{part}"]
    for side in ("encoder", "decoder"):
        found[f"{side}.positional_embedding"] = arrays[f"{side}/position_encodings/encodings"]
    found["decoder.token_embedding.weight"] = arrays["decoder/embeddings/weight"]
    return found


def _renamed(arrays: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Go through the blocks and norms of both sides."""
    for side, last in (("encoder", "ln_post"), ("decoder", "ln")):
        yield from _norm(arrays, f"{side}/layer_norm", f"{side}.{last}")
        layer = 0
        while f"{side}/layer_{layer}/ffn/layer_norm/gamma" in arrays:
            yield from _block(arrays, f"{side}/layer_{layer}", f"{side}.blocks.{layer}")
            layer += 1


def _block(arrays: dict[str, Tensor], source: str, target: str) -> Iterator[tuple[str, Tensor]]:
    joined = f"{source}/self_attention"
    yield from _linear(
        arrays, f"{joined}/linear_0", [f"{target}.attn.{name}" for name in ("query", "key", "value")]
    )
    yield from _linear(arrays, f"{joined}/linear_1", [f"{target}.attn.out"])
    yield from _norm(arrays, f"{joined}/layer_norm", f"{target}.attn_ln")
    if f"{source}/attention/linear_0/weight" in arrays:
        crossed = f"{source}/attention"
        yield from _linear(arrays, f"{crossed}/linear_0", [f"{target}.cross_attn.query"])
        yield from _linear(
            arrays, f"{crossed}/linear_1", [f"{target}.cross_attn.key", f"{target}.cross_attn.value"]
        )
        yield from _linear(arrays, f"{crossed}/linear_2", [f"{target}.cross_attn.out"])
        yield from _norm(arrays, f"{crossed}/layer_norm", f"{target}.cross_attn_ln")
    yield from _norm(arrays, f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
    yield from _linear(arrays, f"{source}/ffn/linear_0", [f"{target}.mlp.0"])
    yield from _linear(arrays, f"{source}/ffn/linear_1", [f"{target}.mlp.2"])


def _norm(arrays: dict[str, Tensor], source: str, target: str) -> Iterator[tuple[str, Tensor]]:
    yield f"{target}.weight", arrays[f"{source}/gamma"]
    yield f"{target}.bias", arrays[f"{source}/beta"]


def _linear(arrays: dict[str, Tensor], source: str, targets: list[str]) -> Iterator[tuple[str, Tensor]]:
    """Split layers that CTranslate2 computes as one."""
    for part in ("weight", "bias"):
        for target, tensor in zip(targets, arrays[f"{source}/{part}"].chunk(len(targets)), strict=True):
            if part == "bias" and target.endswith(".key"):
                assert not tensor.any()  # OpenAI's keys have none
            else:
                yield f"{target}.{part}", tensor
