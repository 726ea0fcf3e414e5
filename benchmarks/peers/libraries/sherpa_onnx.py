"""sherpa-onnx as a library. Runs in an environment that has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sherpa_onnx

from . import measuring
from .names import OFFLINE, STREAMING, suffix


class SherpaOnnx:
    def __init__(self, online: Any, offline: Any) -> None:
        self._online, self._offline = online, offline

    def open(self, count: int) -> Callable[[Sequence[np.ndarray]], int]:
        streams = [self._online.create_stream() for _ in range(count)]
        known = 0

        def feed(chunks: Sequence[np.ndarray]) -> int:
            nonlocal known
            for stream, audio in zip(streams, chunks, strict=True):
                stream.accept_waveform(measuring.RATE, audio)
            while ready := [stream for stream in streams if self._online.is_ready(stream)]:
                self._online.decode_streams(ready)
            before, known = known, sum(len(self._online.tokens(stream)) for stream in streams)
            return known - before

        return feed

    def recognize(self, utterances: Sequence[np.ndarray]) -> list[list[str]]:
        streams = [self._offline.create_stream() for _ in utterances]
        for stream, audio in zip(streams, utterances, strict=True):
            stream.accept_waveform(measuring.RATE, audio)
        self._offline.decode_streams(streams)
        return [list(stream.result.tokens) for stream in streams]


def load(models: Path, precision: str) -> SherpaOnnx:
    streaming, offline, kind = models / STREAMING, models / OFFLINE, suffix("sherpa-onnx", precision)
    return SherpaOnnx(
        sherpa_onnx.OnlineRecognizer.from_paraformer(
            tokens=str(streaming / "tokens.txt"),
            encoder=str(streaming / f"model{kind}.onnx"),
            decoder=str(streaming / f"decoder{kind}.onnx"),
            num_threads=1,
        ),
        sherpa_onnx.OfflineRecognizer.from_paraformer(
            paraformer=str(offline / f"model{kind}.onnx"),
            tokens=str(offline / "tokens.txt"),
            num_threads=1,
        ),
    )


if __name__ == "__main__":
    measuring.run(load)
