"""Listening to a whole recording with a worker's models, in pieces that no live session has to wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from recognition.audio import samples, seconds
from recognition.engine import Engine
from recognition.interfaces import Models, Samples

from . import assessment
from .assessment import Sound

PIECE = samples(1.0)
"""Audio per call to the speech detector."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the models found in a recording."""

    sound: Sound
    embeddings: np.ndarray
    """One per stretch of speech, float32, shape (n, d), unit length; n is 0 without speech."""

    seconds: np.ndarray
    """Of each stretch, shape (n,)."""

    @property
    def voice(self) -> np.ndarray:
        """The mean voice, float32, shape (d,), unit length."""
        return assessment.mean_voice(self.embeddings)


async def listen(engine: Engine, audio: np.ndarray) -> Heard:
    """Find the speech in a recording and embed its voice.

    Args:
        audio: float32 in [-1, 1], 16 kHz, shape (n,).
    """
    frame = engine.models.vad.frame
    probabilities = await _speech_probabilities(engine, audio)
    stretches = assessment.speech_stretches(audio, probabilities, frame)
    return Heard(
        assessment.measure(audio, probabilities, frame),
        await embed(engine, stretches),
        np.array([seconds(len(stretch)) for stretch in stretches]),
    )


async def embed(engine: Engine, pieces: Sequence[Samples]) -> np.ndarray:
    """One embedding per piece, float32, shape (len(pieces), d), unit length."""
    rows = [np.empty((0, engine.models.embedder.dimension), np.float32)]
    rows += [await engine.run(partial(_embed, [piece])) for piece in pieces]
    return np.concatenate(rows)


async def _speech_probabilities(engine: Engine, audio: np.ndarray) -> np.ndarray:
    """One per frame of the detector, for the audio without its delay; float32, shape (n // frame,)."""
    vad = engine.models.vad
    state = await engine.run(lambda models: models.vad.new_state())
    # The detector wants whole windows, and says the last things late.
    padded = np.concatenate([audio, np.zeros(vad.delay + vad.window, np.float32)])
    windows = padded[: len(padded) // vad.window * vad.window].reshape(-1, vad.window)
    per_call = max(1, PIECE // vad.window)
    parts = np.array_split(windows, -(-len(windows) // per_call))
    found = [await engine.run(partial(_detect, state, part)) for part in parts]
    probabilities: np.ndarray = np.concatenate(found)[vad.delay // vad.frame :]
    return probabilities[: len(audio) // vad.frame]


def _embed(pieces: list[Samples], models: Models) -> np.ndarray:
    return models.embedder.embed(pieces)


def _detect(state: object, windows: np.ndarray, models: Models) -> np.ndarray:
    return np.concatenate([models.vad.detect([(state, window)])[0] for window in windows])
