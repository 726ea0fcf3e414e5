"""Models that understand nothing and answer for every sample: a line's text is the checksum of its audio.

For load and failure tests. Whoever sent the audio can tell of each line whether all of it arrived, unchanged
and in its place; and what a session costs besides the models is all that it costs.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from recognition.interfaces import Models, Samples, SessionContext, Span, State, Token

LOUD = 0.01
"""A frame with a sample beyond this is speech."""


def checksum(audio: Samples) -> str:
    """CRC-32 of float32 samples, shape (n,), as little endian bytes: eight hexadecimal digits in capitals."""
    return f"{zlib.crc32(audio.astype('<f4').tobytes()):08X}"


class ChecksumVad:
    window = 3200
    frame = 160
    delay = 0

    def new_state(self) -> State:
        return None

    def detect(self, batch: Sequence[tuple[State, Samples]]) -> list[np.ndarray]:
        return [
            (np.abs(audio.reshape(-1, self.frame)).max(axis=1) > LOUD).astype(np.float32)
            for _, audio in batch
        ]


class ChecksumStreaming:
    chunk = 9600

    def new_state(self, context: SessionContext | None = None) -> State:
        return None

    def decode(self, batch: Sequence[tuple[State, Samples]]) -> list[list[str]]:
        return [[checksum(audio)] for _, audio in batch]

    def release(self, state: State) -> None:
        pass


class ChecksumOffline:
    min_samples = 0

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        return [[Token(checksum(audio), 0, len(audio))] for audio in batch]


class ChecksumPunctuator:
    def punctuate(self, batch: Sequence[Sequence[str]]) -> list[list[str]]:
        return [[""] * len(tokens) for tokens in batch]


class ChecksumEmbedder:
    """Everybody sounds the same."""

    model_id = "checksum-1"
    dimension = 16

    def embed(self, batch: Sequence[tuple[Samples, Sequence[Span]]]) -> list[np.ndarray]:
        return [np.eye(1, self.dimension, dtype=np.float32).repeat(len(parts), 0) for _, parts in batch]


def checksum_models() -> Models:
    return Models(
        name="checksum",
        vad=ChecksumVad(),
        streaming=ChecksumStreaming(),
        offline=ChecksumOffline(),
        punctuator=ChecksumPunctuator(),
        embedder=ChecksumEmbedder(),
    )
