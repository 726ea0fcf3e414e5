"""Measures loaded models the way they are used: audio goes in at one end of recognition, text comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from recognition.audio import samples
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Final, Partial
from recognition.engine.engine import Engine
from recognition.engine.transcriber import Transcriber
from recognition.interfaces import Models

from .scoring import character_error_rate, equal_error_rate, threshold_at
from .voices import trial_scores

Figures = dict[str, float | None]
"""By their names; those that cannot be had are None."""

Report = Callable[[str, int, int], None]
"""Told what is being measured, how much of it is done, and of how much."""

SILENCE = np.zeros(samples(1.0), np.float32)
"""Follows every recording, so that its last line ends."""

LENGTHS_S = (1, 2, 3, 5)
"""Of the pieces of speech that voices are compared by."""

_PIECE = samples(0.2)


@dataclass(frozen=True, slots=True)
class Recording:
    """A waveform and what is said in it."""

    audio: np.ndarray
    """float32 in [-1, 1] at 16 kHz, shape (n,)."""

    text: str
    """With marks."""

    voice: str


@dataclass(slots=True)
class Transcript:
    """Lines and partials of one recording."""

    finals: list[Final] = field(default_factory=list)
    partials: dict[int, str] = field(default_factory=dict)
    """The last partial of each utterance, with its tail."""

    @property
    def text(self) -> str:
        return "".join(final.text for final in self.finals)

    @property
    def partial_text(self) -> str:
        return "".join(self.partials[number] for number in sorted(self.partials))


async def transcribe(
    engine: Engine, endpointing: EndpointingOptions, audio: np.ndarray, *, partials: bool = True
) -> Transcript:
    """Transcribe one recording as a session of its own, fed as a live stream would be."""
    transcriber = Transcriber(engine, endpointing, partials=partials)
    transcript = Transcript()
    for start in range(0, len(audio), _PIECE):
        transcriber.feed(audio[start : start + _PIECE])
        await engine.idle()
    transcriber.finish()
    async for event in transcriber.events():
        match event:
            case Final():
                transcript.finals.append(event)
            case Partial():
                transcript.partials[event.utterance] = event.text + event.tail
    return transcript


class Evaluation:
    """One set of loaded models under measurement."""

    def __init__(
        self, models: Models, endpointing: EndpointingOptions, report: Report = lambda *_: None
    ) -> None:
        self.models, self.report = models, report
        self._endpointing = endpointing

    def transcribe(
        self, name: str, recorded: Sequence[Recording], *, partials: bool = True
    ) -> list[Transcript]:
        """Transcribe recordings one after the other."""

        async def run() -> list[Transcript]:
            engine = Engine(self.models)
            engine.start()
            transcripts = []
            for done, recording in enumerate(recorded, start=1):
                audio = np.concatenate([recording.audio, SILENCE])
                transcripts.append(await transcribe(engine, self._endpointing, audio, partials=partials))
                self.report(name, done, len(recorded))
            await engine.aclose()
            return transcripts

        return asyncio.run(run())

    def error_rate(self, name: str, recorded: Sequence[Recording]) -> float | None:
        """Return the character error rate of final lines; None without recordings."""
        if not recorded:
            return None
        return error_rate(recorded, (found.text for found in self.transcribe(name, recorded)))

    def partial_error_rate(self, recorded: Sequence[Recording], found: Iterable[Transcript]) -> float | None:
        """Return that of the last partials; None for models without a first pass."""
        if not self.models.chunk:
            return None
        return error_rate(recorded, (transcript.partial_text for transcript in found))

    def voices(self, voices: Sequence[Sequence[np.ndarray]]) -> Figures:
        """Return equal error rates by length, with the scores that a threshold is chosen by.

        Args:
            voices: Recordings of each voice, float32 or int16.
        """
        figures: Figures = dict.fromkeys(f"eer_{seconds}s" for seconds in LENGTHS_S)
        embedder = self.models.embedder
        if embedder is None or not voices:
            return figures
        for done, seconds in enumerate(LENGTHS_S, start=1):
            same, different = trial_scores(embedder, voices, seconds)
            if len(same) and len(different):
                rate, score = equal_error_rate(same, different)
                figures[f"eer_{seconds}s"], figures[f"score_at_eer_{seconds}s"] = rate, score
                figures[f"score_at_1_in_100_{seconds}s"] = threshold_at(different, 0.01)
            self.report("voices of people", done, len(LENGTHS_S))
        return figures


def error_rate(recorded: Iterable[Recording], texts: Iterable[str]) -> float:
    """Return the character error rate of texts against what is said."""
    return character_error_rate((r.text, text) for r, text in zip(recorded, texts, strict=True))
