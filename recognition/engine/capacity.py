"""Capacity of one core in streams: measured, since machines and models differ a hundredfold."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recognition.audio import SAMPLE_RATE, seconds
from recognition.core import turns
from recognition.interfaces import (
    Models,
    RevisingRecognizer,
    Samples,
    StreamingRecognizer,
    VoiceActivityDetector,
)

from .scheduler import Stage, limits_for

BATCH = 8
"""Streams that share a batch when the core is busy, if batches may be so large."""

UTTERANCE_S = 5.0
"""How long people speak before they pause."""

TOKENS = 22
"""What they say meanwhile, in Mandarin characters."""

SESSION = 0.002
"""CPU seconds per second that a stream costs beside the models: sockets, session logic, the database."""

CHUNKS = 4
"""As many of the first pass are measured, one where each costs as much as an utterance; all cost the same."""

LOAD = 0.85
"""Share of a core that streams may take; the rest is for bursts, sockets and the database."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds that each stage takes for a second of speech of one stream."""

    detect: float
    decode: float
    recognize: float
    punctuate: float
    embed: float
    segment: float = 0.0

    @property
    def total(self) -> float:
        return self.detect + self.decode + self.recognize + self.punctuate + self.embed + self.segment

    @property
    def streams(self) -> int:
        """Return the number of streams of unbroken speech that a core holds; at least one."""
        return max(1, int(LOAD / (self.total + SESSION)))


def measure(models: Models, *, clock: Callable[[], float] | None = None) -> Cost:
    """Time every stage on made-up speech; takes about as long as recognising ten seconds.

    A first pass that hears its utterance again each time counts half: on a full core it takes two chunks at
    once.

    A stage that the models do not have costs nothing.

    Args:
        models: Warmed up, and not in use elsewhere meanwhile.
        clock: CPU time in seconds; by default of the calling thread, or of the process where recognisers
            compute on threads of their own.
    """
    clock = clock or (time.process_time if models.recognises_apart else time.thread_time)
    size = min(BATCH, limits_for(models)[Stage.DECODE].size)
    audio = _babble(UTTERANCE_S)
    voices = [(audio, turns.spans(turns.parts(0, len(audio))))]
    streaming, punctuator = models.streaming, models.punctuator
    embedder, segmenter = models.embedder, models.segmenter

    def per_second(run: Callable[[], object]) -> float:
        return min(_timed(run, clock), _timed(run, clock)) / UTTERANCE_S

    return Cost(
        detect=_detect_cost(models.vad, audio, clock),
        decode=_decode_cost(streaming, audio, clock, size) if streaming and streaming.chunk else 0.0,
        recognize=per_second(lambda: models.offline.recognize([audio])),
        punctuate=per_second(lambda: punctuator.punctuate([["好"] * TOKENS])) if punctuator else 0.0,
        embed=per_second(lambda: embedder.embed(voices)) if embedder else 0.0,
        # One window at its end, with what was before it: half of a window of ten seconds is new.
        segment=per_second(lambda: segmenter.segment([_babble(segmenter.window / SAMPLE_RATE)]))
        if segmenter
        else 0.0,
    )


def _timed(run: Callable[[], object], clock: Callable[[], float]) -> float:
    started = clock()
    run()
    return clock() - started


def _detect_cost(vad: VoiceActivityDetector, audio: Samples, clock: Callable[[], float]) -> float:
    windows = _pieces(audio, vad.window)

    def detect() -> None:
        states = [vad.new_state() for _ in range(BATCH)]
        for window in windows:
            vad.detect([(state, window) for state in states])

    return _timed(detect, clock) / BATCH / seconds(sum(map(len, windows)))


def _decode_cost(
    streaming: StreamingRecognizer, audio: Samples, clock: Callable[[], float], size: int
) -> float:
    again = isinstance(streaming, RevisingRecognizer)
    chunks = _pieces(audio, streaming.chunk)[: 1 if again else CHUNKS]
    chunks_at_once = 2 if again else 1

    def decode() -> None:
        states = [streaming.new_state() for _ in range(size)]
        for chunk in chunks:
            streaming.decode([(state, chunk) for state in states])
        for state in states:
            streaming.release(state)

    return _timed(decode, clock) / size / seconds(sum(map(len, chunks))) / chunks_at_once


def _pieces(audio: Samples, length: int) -> Sequence[Samples]:
    count = max(1, len(audio) // length)
    return list(np.resize(audio, count * length).reshape(count, length))


def _babble(length_s: float) -> Samples:
    """Noise that comes in syllables."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(round(length_s * SAMPLE_RATE)).astype(np.float32)
    syllables = np.abs(np.sin(np.arange(len(noise)) * (np.pi * 4.5 / SAMPLE_RATE))).astype(np.float32)
    babble: Samples = noise * syllables * np.float32(0.1)
    return babble
