"""Listening to a whole recording with a worker's models, in pieces that no live session has to wait for."""

from __future__ import annotations

from collections.abc import AsyncIterable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from django.utils.translation import gettext as _

from recognition.audio import samples, seconds
from recognition.core.turns import mean_voice, voice_in
from recognition.engine.engine import Engine
from recognition.interfaces import Models, Samples, SpeakerEmbedder
from speakers.voiceprints.assessment import Sound
from speakers.voiceprints.fitting import Lines
from speakers.voiceprints.trials import LENGTHS_S, Material

from .exceptions import JobFailed
from .voiceprints import assessment

PIECE = samples(1.0)
"""Audio per call to the speech detector."""

MAX_PIECES = 4
"""Of each length, from one recording."""

Recording = tuple[Hashable, Hashable, Samples]
"""Who speaks, a key of the recording's own, and its audio: float32 in [-1, 1], 16 kHz."""


@dataclass(frozen=True, slots=True)
class ListenedRecording:
    """A recording as the models hear it: its sound, its speech and the voice in it."""

    sound: Sound
    embeddings: np.ndarray
    """One per span of speech, float32, shape (n, d), unit length; n is 0 without speech."""

    seconds: np.ndarray
    """Of each span, shape (n,)."""

    spans: Sequence[Samples]
    """The speech itself, without its pauses."""

    @property
    def voice(self) -> np.ndarray:
        """The mean voice, float32, shape (d,), unit length."""
        return mean_voice(self.embeddings)


async def listen(engine: Engine, audio: np.ndarray) -> ListenedRecording:
    """Find the speech in a recording and embed its voice.

    Args:
        audio: float32 in [-1, 1], 16 kHz, shape (n,).
    """
    frame = engine.models.vad.frame
    probabilities = await _speech_probabilities(engine, audio)
    spans = assessment.speech_stretches(audio, probabilities, frame)
    return ListenedRecording(
        assessment.measure(audio, probabilities, frame),
        await embed(engine, spans),
        np.array([seconds(len(span)) for span in spans]),
        spans,
    )


async def gather(engine: Engine, recordings: AsyncIterable[Recording], *, pieces: bool = True) -> Material:
    """Listen to recordings of known people, to measure how well their voices are told apart.

    Recordings without speech are left out.

    Args:
        pieces: Whether to cut them up as well.
    """
    voices, cuts = [], []
    async for speaker, key, audio in recordings:
        heard = await listen(engine, audio)
        if not len(heard.embeddings):
            continue
        voices.append((heard.voice, float(heard.seconds.sum()), speaker, key))
        cut = _cut(np.concatenate(heard.spans)) if pieces else []
        embeddings = await embed(engine, cut)
        cuts += [
            (embedding, seconds(len(piece)), speaker, key)
            for embedding, piece in zip(embeddings, cut, strict=True)
        ]
    dimension = embedder_of(engine).dimension
    return Material(_as_lines(voices, dimension), _as_lines(cuts, dimension))


async def embed(engine: Engine, pieces: Sequence[Samples]) -> np.ndarray:
    """Embed the voice of each piece, as that of a line; float32, shape (len(pieces), d), unit length."""
    embedder = embedder_of(engine)

    def run(piece: Samples, models: Models) -> np.ndarray:
        return voice_in(piece, embedder)

    rows = [await engine.run(partial(run, piece)) for piece in pieces]
    return np.array(rows, np.float32).reshape(len(pieces), embedder.dimension)


def embedder_of(engine: Engine) -> SpeakerEmbedder:
    """Return what tells voices apart.

    Raises:
        JobFailed: If the model set has no such model.
    """
    if engine.models.embedder is None:
        raise JobFailed(_("The models of this service cannot tell voices apart: their set has no [speaker]."))
    return engine.models.embedder


def by_embedder(engines: Sequence[Engine]) -> dict[str, Engine]:
    """Return the engines that tell voices apart by the ids of the models that do; of one model the first."""
    found: dict[str, Engine] = {}
    for engine in engines:
        if embedder := engine.models.embedder:
            found.setdefault(embedder.model_id, engine)
    return found


def _cut(speech: Samples) -> list[Samples]:
    """Cut pieces of each length to try, one after the other."""
    return [
        speech[start : start + length]
        for length in map(samples, LENGTHS_S)
        for start in range(0, len(speech) - length + 1, length)[:MAX_PIECES]
    ]


def _as_lines(rows: Sequence[tuple[np.ndarray, float, Hashable, Hashable]], dimension: int) -> Lines:
    embeddings = np.array([row[0] for row in rows], np.float32).reshape(len(rows), dimension)
    lengths, speakers, keys = (np.array([row[column] for row in rows]) for column in (1, 2, 3))
    return Lines(embeddings, lengths, speakers, keys)


async def _speech_probabilities(engine: Engine, audio: np.ndarray) -> np.ndarray:
    """Detect speech: one per frame, for the audio without its delay; float32, shape (n // frame,)."""
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


def _detect(state: object, windows: np.ndarray, models: Models) -> np.ndarray:
    return np.concatenate([models.vad.detect([(state, window)])[0] for window in windows])
