"""Measures a model set the way it is used: audio goes in at one end of the recognition path, text comes out.

Everything is measured on the spot. What no model was trained on is spoken anew (`evaluation_sets`), and
people are measured where a folder of licensed recordings is at hand.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks import results
from recognition.audio import SAMPLE_RATE, samples
from recognition.core import turns
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Final, Partial
from recognition.engine.engine import Engine
from recognition.engine.transcriber import Transcriber
from recognition.evaluation import recordings
from recognition.evaluation.scoring import character_error_rate, equal_error_rate, mark_f1, threshold_at
from recognition.funasr.loading import open_directory
from recognition.funasr.options import FunasrOptions
from recognition.interfaces import Models, SpeakerEmbedder
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, ModelSource
from training import evaluation_sets, punctuation, sample_meeting, speaker
from training.evaluation_sets import Recording
from training.synthesis import SynthesisError

__all__ = ["Check", "Sizes", "SynthesisError", "check", "record", "transcribe"]

Report = Callable[[str, int, int], None]
"""Told what is being measured, how much of it is done, and of how much."""

PEOPLE = {"cer_people": "speech/aishell3/", "cer_one_person": "speech/aishell1/"}
"""Figure, and where in a folder of recordings its readings lie."""

_SILENCE = np.zeros(samples(1.0), np.float32)
_PIECE = samples(0.2)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything to measure with."""

    closed: int = 200
    noisy: int = 150
    open: int = 150
    turns: int = 400
    readings: int = 150
    """Of the speaker of many readings."""


@dataclass(slots=True)
class Transcript:
    """What the path made of one recording."""

    finals: list[Final] = field(default_factory=list)
    partials: dict[int, str] = field(default_factory=dict)
    """The last partial of each utterance."""

    @property
    def text(self) -> str:
        return "".join(final.text for final in self.finals)

    @property
    def partial_text(self) -> str:
        return "".join(self.partials[number] for number in sorted(self.partials))


async def transcribe(engine: Engine, endpointing: EndpointingOptions, audio: np.ndarray) -> Transcript:
    """One recording as a session of its own, fed as a live stream would be."""
    transcriber = Transcriber(engine, endpointing)
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
                transcript.partials[event.utterance] = event.text
    return transcript


class Check:
    """One loaded model set under measurement.

    Args:
        people: A folder of licensed recordings with a manifest; without it there are no figures for people.
        seed: Of the sets that are spoken.
    """

    def __init__(
        self,
        models: Models,
        endpointing: EndpointingOptions,
        *,
        people: Path | None = None,
        seed: int = 0,
        sizes: Sizes | None = None,
        report: Report = lambda *_: None,
    ) -> None:
        self._models, self._endpointing, self._people = models, endpointing, people
        self._seed, self._sizes, self._report = seed, sizes or Sizes(), report

    def figures(self) -> dict[str, float | None]:
        """All figures; those that cannot be had here are None."""
        return self.recognition() | self.sample_meeting() | self.punctuation() | self.speakers()

    def recognition(self) -> dict[str, float | None]:
        closed = evaluation_sets.make("closed", count=self._sizes.closed, seed=self._seed)
        noisy = evaluation_sets.make("noise_10db", count=self._sizes.noisy, seed=self._seed)
        free = evaluation_sets.make("open", count=self._sizes.open, seed=self._seed)
        family = evaluation_sets.make("family", count=self._sizes.noisy, seed=self._seed)
        started, transcripts = time.process_time(), self._transcribe("unseen voices", closed)
        spent = time.process_time() - started
        figures: dict[str, float | None] = {
            "cer_unseen_voices": _error_rate(closed, (t.text for t in transcripts)),
            "cer_partials": _error_rate(closed, (t.partial_text for t in transcripts))
            if self._models.chunk
            else None,
            "cer_noise_10db": self._finals("noise", noisy),
            "cer_open": self._finals("open vocabulary", free),
            "cer_unseen_family": self._finals("unseen family of sentences", family),
            "rtf": spent / sum(len(r.audio) + len(_SILENCE) for r in closed) * SAMPLE_RATE,
        }
        for name, under in PEOPLE.items():
            readings = evaluation_sets.people(self._people, under) if self._people else []
            figures[name] = self._finals("people", readings[: self._sizes.readings]) if readings else None
        return figures

    def sample_meeting(self) -> dict[str, float | None]:
        meeting = recordings.read(sample_meeting.FOLDER / "meeting.flac")
        said = "".join(turn.text for turn in sample_meeting.read_script().turns)
        recorded = [Recording(meeting, said, "")]
        return {"sample_meeting_cer": self._finals("sample meeting", recorded)}

    def punctuation(self) -> dict[str, float | None]:
        source = punctuation.turns(Random(f"evaluation punctuation {self._seed}"), held_out=True)
        expected = [punctuation.labelled(turn) for turn in islice(source, self._sizes.turns)]
        if self._models.punctuator is None:
            return {"punctuation_f1": None}
        given = self._models.punctuator.punctuate([characters for characters, _ in expected])
        self._report("punctuation", 1, 1)
        pairs = [(marks, found) for (_, marks), found in zip(expected, given, strict=True)]
        return {"punctuation_f1": mark_f1(pairs, "，。？")}

    def speakers(self) -> dict[str, float | None]:
        figures: dict[str, float | None] = dict.fromkeys(f"eer_{seconds}s" for seconds in (1, 2, 3, 5))
        embedder = self._models.embedder
        if embedder is None:
            return figures | {"eer_synthetic_3s": None}
        voices = speaker.test_people(self._people) if self._people else []
        for done, seconds in enumerate((1, 2, 3, 5) if voices else (), start=1):
            same, different = trial_scores(embedder, voices, seconds)
            figures[f"eer_{seconds}s"], figures[f"score_at_eer_{seconds}s"] = equal_error_rate(
                same, different
            )
            figures[f"score_at_1_in_100_{seconds}s"] = threshold_at(different, 0.01)
            self._report("voices of people", done, 4)
        same, different = trial_scores(embedder, speaker.unseen_made_voices(), 3)
        figures["eer_synthetic_3s"], _ = equal_error_rate(same, different)
        self._report("synthetic voices", 1, 1)
        return figures

    def _finals(self, name: str, recorded: Sequence[Recording]) -> float:
        return _error_rate(recorded, (t.text for t in self._transcribe(name, recorded)))

    def _transcribe(self, name: str, recorded: Sequence[Recording]) -> list[Transcript]:
        async def run() -> list[Transcript]:
            engine = Engine(self._models)
            engine.start()
            transcripts = []
            for done, recording in enumerate(recorded, start=1):
                audio = np.concatenate([recording.audio, _SILENCE])
                transcripts.append(await transcribe(engine, self._endpointing, audio))
                self._report(name, done, len(recorded))
            await engine.aclose()
            return transcripts

        return asyncio.run(run())


def trial_scores(
    embedder: SpeakerEmbedder, voices: Sequence[Sequence[np.ndarray]], seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """`speaker.trial_scores` with the embedder of a model set."""
    pieces, origin = speaker.trial_pieces(voices, seconds)
    embeddings = np.stack([turns.voice_in(piece, embedder) for piece in pieces])
    return speaker.pair_scores(embeddings, origin)


def _error_rate(recorded: Iterable[Recording], texts: Iterable[str]) -> float:
    return character_error_rate((r.text, text) for r, text in zip(recorded, texts, strict=True))


def check(model_set: ModelSet, models_dir: Path, **options: Any) -> dict[str, float | None]:
    """Measure a set, telling the terminal how it goes and what it is; see `Check` for the options.

    Raises:
        ModelError: If the set cannot be loaded.
    """
    print(f"{model_set.name}: {model_set.title}")
    for role, source in model_set.sources.items():
        directory = source.directory(models_dir)
        size = f"{_size(source, directory) / 1e6:.2f} MB" if directory else _without_files(source)
        print(f"  {role:<14} {source.title}, {size}, {source.licence}")
    models = load_models(model_set, models_dir)
    figures = Check(models, model_set.endpointing, report=_draw, **options).figures()
    for name, figure in figures.items():
        print(f"  {name:<26} {_worded(name, figure)}")
    return figures


def record(model_set: ModelSet, figures: dict[str, float | None], seed: int) -> Path:
    """Keep the figures: those of the embedded set and seed 0 as `models.json`, others beside it."""
    name = "models" if model_set.name == "embedded" else f"models-{Path(model_set.name).stem}"
    return results.write(f"{name}-seed-{seed}" if seed else name, figures)


def _size(source: ModelSource, directory: Path) -> int:
    """Bytes of a model's files, with those that lie beside it because two models share them."""
    if isinstance(source.options, FunasrOptions):
        return sum(path.stat().st_size for path in open_directory(directory).files.values())
    found = {path for pattern in source.options.wanted_files for path in directory.glob(pattern)}
    return sum(path.stat().st_size for path in found)


def _without_files(source: ModelSource) -> str:
    return f"in the package {source.package}" if source.package else "without files of its own"


_NEEDED = {
    "cer_partials": "a set with [streaming]",
    "punctuation_f1": "a set with [punctuation]",
    "eer_synthetic_3s": "a set with [speaker]",
}
"""All other figures that may be missing need people."""


def _worded(name: str, figure: float | None) -> str:
    if figure is None:
        return f"not measured: it needs {_NEEDED.get(name, 'recordings of people (--recordings)')}"
    if name.startswith("score") or name == "rtf":
        return f"{figure:.3f}"
    return f"{100 * figure:.1f} %"


def _draw(name: str, done: int, total: int) -> None:
    """A bar that is drawn over on a terminal, and one line when it is full elsewhere."""
    if not sys.stdout.isatty() and done < total:
        return
    filled = 30 * done // total
    start, end = ("\r", "\n" if done == total else "") if sys.stdout.isatty() else ("", "\n")
    print(f"{start}  {name:<28} [{'=' * filled}{' ' * (30 - filled)}] {done} of {total}", end=end, flush=True)
