"""FunASR's own ONNX runtime for Python as a library. Runs in an environment that has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from funasr_onnx.paraformer_bin import Paraformer
from funasr_onnx.paraformer_online_bin import Paraformer as OnlineParaformer

from . import measuring
from .names import OFFLINE, STREAMING

_CHUNK_SIZE = [0, 10, 5]


class FunasrOnnx:
    def __init__(self, online: Any, offline: Any) -> None:
        self._online, self._offline = online, offline

    def open(self, count: int) -> Callable[[Sequence[np.ndarray]], int]:
        states: list[dict[str, Any]] = [{"cache": {}, "is_final": False} for _ in range(count)]

        def feed(chunks: Sequence[np.ndarray]) -> int:
            tokens = 0
            for state, audio in zip(states, chunks, strict=True):  # it takes one stream at a time
                found = self._online(audio_in=audio, param_dict=state)
                tokens += len(found[0]["preds"][1]) if found else 0
            return tokens

        return feed

    def recognize(self, utterances: Sequence[np.ndarray]) -> list[list[str]]:
        # Of several at once it takes names of files, no audio.
        return [list(found["preds"][1]) for each in utterances for found in self._offline(each)]


def load(models: Path, precision: str) -> FunasrOnnx:
    is_int8 = precision == "int8"
    return FunasrOnnx(
        OnlineParaformer(
            str(models / STREAMING), quantize=is_int8, intra_op_num_threads=1, chunk_size=_CHUNK_SIZE
        ),
        Paraformer(str(models / OFFLINE), quantize=is_int8, intra_op_num_threads=1),
    )


if __name__ == "__main__":
    measuring.run(load)
