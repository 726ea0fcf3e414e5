"""This product's recognisers as a library, without language model and hotwords."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from recognition import heap
from recognition.funasr.options import ParaformerOptions, StreamingOptions
from recognition.interfaces import OfflineRecognizer, StreamingRecognizer
from recognition.model_options import LoadContext

from . import measuring
from .names import OFFLINE, STREAMING


class Ours:
    def __init__(self, streaming: StreamingRecognizer, offline: OfflineRecognizer) -> None:
        self._streaming, self._offline = streaming, offline

    def open(self, count: int) -> Callable[[Sequence[np.ndarray]], int]:
        states = [self._streaming.new_state() for _ in range(count)]

        def feed(chunks: Sequence[np.ndarray]) -> int:
            return sum(map(len, self._streaming.decode(list(zip(states, chunks, strict=True)))))

        return feed

    def recognize(self, utterances: Sequence[np.ndarray]) -> list[list[str]]:
        return [[token.text for token in tokens] for tokens in self._offline.recognize(utterances)]


def load(models: Path, precision: str) -> Ours:
    torch.set_num_threads(1)
    streaming = StreamingOptions().load(LoadContext(models / STREAMING, precision, "cpu"))
    offline = ParaformerOptions().load(LoadContext(models / OFFLINE, precision, "cpu"))
    heap.give_back()  # as after loading a set
    return Ours(streaming, offline)


if __name__ == "__main__":
    measuring.run(load)
