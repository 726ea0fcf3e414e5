"""Models that say what a script tells them to: a meeting as data.

They hear. Every scripted line is spoken by `speak` as a tone whose pitch says which line it is and whose
overtones say who speaks; the models find those tones in whatever audio they are given. So tests send real
audio through the real machinery, cut and delayed as it may be, and know the right answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from recognition.audio import SAMPLE_RATE, samples
from recognition.interfaces import Models, Samples, SessionContext, Span, State, Token
from recognition.tables import Between, Place, read_table

LOUD = 0.05
"""Root mean square from which a frame is speech; a tone of `speak` has 0.2."""

_MIN_HZ, _STEP_HZ = 400.0, 40.0
_VOICE_HZ, _VOICE_STEP_HZ = 4000.0, 250.0
_MARKS = "，。？！"

_PITCH_STEP = 800
"""Samples in which neighbouring pitches are told apart."""

_MIN_STEPS = 2
"""What sounds for less is the edge of another tone."""

MAX_LINES = 85
"""As many tones fit below those of the voices."""


@dataclass(frozen=True, slots=True)
class ScriptedLine:
    """Words of somebody; "，" and "。" in them come from the punctuator, not the recogniser."""

    text: str
    voice: Annotated[int, Between(0, 15)] = 0
    seconds: Annotated[float, Between(0.1, 60)] = 1.0
    tail: Annotated[int, Between(0, 100)] = 0
    """Characters that the first pass shows behind those that it is sure of."""

    gap_s: Annotated[float, Between(-60, 60)] | None = None
    """Silence between what was said before and this line; below 0 if it begins while that goes on."""

    def __post_init__(self) -> None:
        if not self.text or self.text[0] in _MARKS:
            raise ValueError(
                f'text = "{self.text}" is refused; a line begins with a character that is spoken'
            )

    @property
    def characters(self) -> list[str]:
        return [character for character in self.text if character not in _MARKS]


@dataclass(slots=True)
class Script:
    """The lines of a meeting, and how to turn them into audio."""

    lines: list[ScriptedLine] = field(default_factory=list)

    @property
    def is_joined(self) -> bool:
        """Return whether lines may follow each other without a pause, or be spoken at once."""
        return any(line.gap_s is not None for line in self.lines)

    def speak(self, index: int, *, pause_s: float = 1.5) -> Samples:
        """Audio of one line with silence after it, float32."""
        line = self.lines[index]
        time = np.arange(samples(line.seconds)) / SAMPLE_RATE
        pitch = np.sin(2 * np.pi * (_MIN_HZ + _STEP_HZ * index) * time)
        voice = np.sin(2 * np.pi * (_VOICE_HZ + _VOICE_STEP_HZ * line.voice) * time)
        tone = (0.25 * pitch + 0.1 * voice).astype(np.float32)
        return np.concatenate([tone, np.zeros(samples(pause_s), np.float32)])

    def audio(self, *, pause_s: float = 1.5) -> Samples:
        """The whole meeting; lines pause for `pause_s` unless they say otherwise themselves."""
        spans = self.spans(pause_s=pause_s)
        meeting = np.zeros(max(end for _, end in spans) + samples(pause_s), np.float32)
        for index, (start, end) in enumerate(spans):
            meeting[start:end] += self.speak(index, pause_s=0)
        return meeting

    def spans(self, *, pause_s: float = 1.5) -> list[Span]:
        """Return the part of `audio` in which each line is spoken."""
        spans: list[Span] = []
        latest = 0
        for line in self.lines:
            gap_s = pause_s if line.gap_s is None else line.gap_s
            start = max(0, latest + samples(gap_s)) if spans else 0
            spans.append((start, start + samples(line.seconds)))
            latest = max(latest, spans[-1][1])
        return spans

    def heard(self, audio: Samples) -> ScriptedLine | None:
        """The line that is loudest in this audio, None in silence."""
        if not len(audio) or _rms(audio) < LOUD / 4:
            return None
        index = round((_peak_hz(audio, _MIN_HZ - 20, _VOICE_HZ - 200) - _MIN_HZ) / _STEP_HZ)
        return self.lines[index] if 0 <= index < len(self.lines) else None

    def heard_apart(self, audio: Samples) -> list[tuple[ScriptedLine, Span]]:
        """Every line that is spoken in this audio and where, in the order of their beginnings."""
        tones = [_MIN_HZ + _STEP_HZ * index for index in range(len(self.lines))]
        loudness = _loudness(audio, tones, step=_PITCH_STEP)
        found = []
        for line, heard in zip(self.lines, (loudness > LOUD).T, strict=True):
            if np.count_nonzero(heard) >= _MIN_STEPS:
                first, last = np.flatnonzero(heard)[[0, -1]]
                found.append((line, (int(first) * _PITCH_STEP, min(len(audio), int(last + 1) * _PITCH_STEP))))
        return sorted(found, key=lambda each: each[1])


class ScriptedVad:
    window = 1600
    frame = 160
    delay = 0

    def new_state(self) -> State:
        return object()

    def detect(self, batch: Sequence[tuple[State, Samples]]) -> list[np.ndarray]:
        return [_is_loud(audio.reshape(-1, self.frame)) for _, audio in batch]


class ScriptedStreaming:
    """Says one character of the line per chunk."""

    chunk = 9600

    def __init__(self, script: Script) -> None:
        self._script = script
        self.open_states = 0

    def new_state(self, context: SessionContext | None = None) -> State:
        self.open_states += 1
        return {"said": 0}

    def decode(self, batch: Sequence[tuple[State, Samples]]) -> list[list[str]]:
        return [self._next_character(state, audio) for state, audio in batch]

    def release(self, state: State) -> None:
        self.open_states -= 1

    def _next_character(self, state: State, audio: Samples) -> list[str]:
        line = self._script.heard(audio)
        if line is None or state["said"] >= len(line.characters):
            return []
        state["said"] += 1
        return [line.characters[state["said"] - 1]]


class ScriptedRevising(ScriptedStreaming):
    """Says one character of the line per chunk, and shows some of those that follow."""

    def new_state(self, context: SessionContext | None = None) -> State:
        return super().new_state() | {"line": None}

    def decode(self, batch: Sequence[tuple[State, Samples]]) -> list[list[str]]:
        return [self._next_characters(state, audio) for state, audio in batch]

    def tail(self, state: State) -> Sequence[str]:
        line, said = state["line"], state["said"]
        return line.characters[said : said + line.tail] if line else []

    def _next_characters(self, state: State, audio: Samples) -> list[str]:
        state["line"] = self._script.heard(audio) or state["line"]
        chunks = np.split(audio, len(audio) // self.chunk)
        return [character for chunk in chunks for character in self._next_character(state, chunk)]


class ScriptedOffline:
    min_samples = 0

    def __init__(self, script: Script) -> None:
        self._script = script

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        return [self._tokens(audio) for audio in batch]

    def _tokens(self, audio: Samples) -> list[Token]:
        if self._script.is_joined and len(lines := self._script.heard_apart(audio)) > 1:
            tokens = [token for line, span in lines for token in _spread(line, span)]
            return sorted(tokens, key=lambda token: token.start)
        line = self._script.heard(audio)
        if line is None:
            return []
        speech = np.flatnonzero(np.abs(audio) > 1e-3)
        return _spread(line, (int(speech[0]), int(speech[-1]) + 1))


class ScriptedPunctuator:
    """Knows the marks of whole lines, and of several one behind the other."""

    def __init__(self, script: Script) -> None:
        self._marks = {tuple(line.characters): _marks(line.text) for line in script.lines}

    def punctuate(self, batch: Sequence[Sequence[str]]) -> list[list[str]]:
        return [self._punctuated(tuple(tokens)) or [""] * len(tokens) for tokens in batch]

    def _punctuated(self, tokens: tuple[str, ...]) -> list[str] | None:
        if not tokens:
            return []
        for characters, marks in self._marks.items():
            if tokens[: len(characters)] == characters:
                rest = self._punctuated(tokens[len(characters) :])
                if rest is not None:
                    return [*marks, *rest]
        return None


class ScriptedEmbedder:
    """Each voice is an axis of its own."""

    model_id = "scripted-1"
    dimension = 16

    def embed(self, batch: Sequence[tuple[Samples, Sequence[Span]]]) -> list[np.ndarray]:
        return [np.stack([self._embed(audio[slice(*part)]) for part in parts]) for audio, parts in batch]

    def _embed(self, audio: Samples) -> np.ndarray:
        hz = _peak_hz(audio, _VOICE_HZ - 120, SAMPLE_RATE / 2)
        axis = round((hz - _VOICE_HZ) / _VOICE_STEP_HZ) % self.dimension
        embedding: np.ndarray = np.eye(1, self.dimension, axis, dtype=np.float32)[0]
        return embedding


class ScriptedSegmenter:
    """Hears the overtones of the voices; its speakers are numbered by who speaks first in the window.

    Of more than three, those are left out who speak the least.
    """

    model_id = "scripted-1"
    window = 160_000
    frame = 320
    first = 160
    speakers = 3

    def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
        return [self._activity(np.pad(audio, (0, self.window - len(audio)))) for audio in batch]

    def _activity(self, audio: Samples) -> np.ndarray:
        tones = [_VOICE_HZ + _VOICE_STEP_HZ * voice for voice in range(ScriptedEmbedder.dimension)]
        loudness = _loudness(audio, tones, step=self.frame)
        active = (loudness > LOUD / 2) & (loudness > 0.3 * loudness.max())
        most = sorted(
            np.flatnonzero(active.any(axis=0)), key=lambda voice: -np.count_nonzero(active[:, voice])
        )
        voices = sorted(most[: self.speakers], key=lambda voice: int(active[:, voice].argmax()))
        activity = np.zeros((len(active), self.speakers), np.float32)
        activity[:, : len(voices)] = active[:, voices]
        return activity


def read_script(lines: object, place: Place) -> Script:
    """Read the lines of a script from the file of a model set.

    Raises:
        ModelSetError: If there is none, or a line is wrong.
    """
    if not isinstance(lines, list) or not 1 <= len(lines) <= MAX_LINES:
        raise place.error(f"script takes 1 to {MAX_LINES} tables [[script]] with text, voice and seconds")
    return Script([read_table(ScriptedLine, line, place.inner("script")) for line in lines])


def scripted_models(script: Script) -> Models:
    """Return models that know these lines.

    The first pass revises if one of them has a tail; there is a segmenter if lines may be spoken at once.
    """
    revises = any(line.tail for line in script.lines)
    return Models(
        name="scripted",
        vad=ScriptedVad(),
        streaming=ScriptedRevising(script) if revises else ScriptedStreaming(script),
        offline=ScriptedOffline(script),
        punctuator=ScriptedPunctuator(script),
        embedder=ScriptedEmbedder(),
        segmenter=ScriptedSegmenter() if script.is_joined else None,
    )


def _spread(line: ScriptedLine, span: Span) -> list[Token]:
    edges = np.linspace(*span, len(line.characters) + 1).astype(int)
    return [
        Token(character, int(start), int(end))
        for character, start, end in zip(line.characters, edges, edges[1:], strict=False)
    ]


def _loudness(audio: Samples, tones: Sequence[float], *, step: int) -> np.ndarray:
    """Amplitude of each tone in each whole step, shape (steps, tones)."""
    steps = audio[: len(audio) // step * step].reshape(-1, step)
    window = np.hanning(step + 1)[:-1]  # lets through nothing of a tone two bins away
    waves = np.exp(2j * np.pi * np.outer(np.arange(step) / SAMPLE_RATE, tones)) * window[:, None]
    amplitudes: np.ndarray = 2 * np.abs(steps @ waves.astype(np.complex64)) / window.sum()
    return amplitudes


def _is_loud(frames: np.ndarray) -> np.ndarray:
    loudness: np.ndarray = np.sqrt(np.mean(frames * frames, axis=1))
    return (loudness > LOUD).astype(np.float32)


def _rms(audio: Samples) -> float:
    return float(np.sqrt(np.mean(audio * audio)))


def _peak_hz(audio: Samples, low: float, high: float) -> float:
    """The loudest frequency of this range."""
    power = np.abs(np.fft.rfft(audio, n=max(len(audio), SAMPLE_RATE)))
    hz = np.fft.rfftfreq(max(len(audio), SAMPLE_RATE), 1 / SAMPLE_RATE)
    inside = (hz >= low) & (hz <= high)
    return float(hz[inside][np.argmax(power[inside])])


def _marks(text: str) -> list[str]:
    marks: list[str] = []
    for character in text:
        if character in _MARKS:
            marks[-1] = character
        else:
            marks.append("")
    return marks
