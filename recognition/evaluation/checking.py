"""`models check`: a model set with its sizes and licences, and its figures for recordings that are at hand.

Speech that is made to measure with, which needs no recordings at all, is the business of `training`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recognition import progress
from recognition.audio import seconds
from recognition.funasr.options import FunasrOptions
from recognition.model_sets.reading import ModelSet, ModelSource

from . import recordings
from .measuring import SILENCE, Evaluation, Figures, Recording, error_rate
from .recordings import Recorded
from .scoring import plain

MAX_READINGS = 150
MAX_VOICES = 40
MAX_RECORDINGS_OF_A_VOICE = 8

_NEEDED = {
    "cer_partials": "a set with [streaming]",
    "punctuation_f1": "a set with [punctuation]",
    "eer_synthetic_3s": "a set with [speaker]",
}
"""All other figures that may be missing need people."""


def figures(evaluation: Evaluation, meeting: Recording, people: Sequence[Recorded] = ()) -> Figures:
    """Measure models with a meeting, and with recordings of people if there are any.

    Raises:
        RecordingsError: If a recording cannot be read.
    """
    found = _of_meeting(evaluation, meeting)
    found["cer_people"] = evaluation.error_rate("people", _readings(people))
    if evaluation.models.embedder:
        found |= evaluation.voices(_voices(people))
    return found


def _of_meeting(evaluation: Evaluation, meeting: Recording) -> Figures:
    started = time.process_time()
    transcripts = evaluation.transcribe("sample meeting", [meeting])
    spent = time.process_time() - started
    return {
        "sample_meeting_cer": error_rate([meeting], (found.text for found in transcripts)),
        "cer_partials": evaluation.partial_error_rate([meeting], transcripts),
        "rtf": spent / seconds(len(meeting.audio) + len(SILENCE)),
    }


def _readings(entries: Sequence[Recorded]) -> list[Recording]:
    """Read recordings whose text is known, from all over the list."""
    written = [entry for entry in entries if entry.text and plain(entry.text)]
    step = max(1, len(written) // MAX_READINGS)
    return [
        Recording(recordings.read(entry.path), entry.text or "", entry.speaker)
        for entry in written[::step][:MAX_READINGS]
    ]


def _voices(entries: Sequence[Recorded]) -> list[list[np.ndarray]]:
    """Read recordings of people of whom there are several, without silence around them."""
    voices = [paths for paths in recordings.by_speaker(entries).values() if len(paths) > 1]
    return [
        [recordings.trimmed(recordings.read(path)) for path in paths[:MAX_RECORDINGS_OF_A_VOICE]]
        for paths in voices[:MAX_VOICES]
    ]


def inventory(model_set: ModelSet, models_dir: Path) -> list[str]:
    """Return a line for each model of a set: its role, title, size and licence."""
    rows = []
    for role, source in model_set.sources.items():
        directory = source.directory(models_dir)
        size = f"{_size(source, directory) / 1e6:.2f} MB" if directory else _without_files(source)
        rows.append(f"  {role:<14} {source.title}, {size}, {source.licence}")
    return rows


def _size(source: ModelSource, directory: Path) -> int:
    """Return the bytes of a model's files, with those that lie beside it because two models share them."""
    if isinstance(source.options, FunasrOptions):
        return sum(path.stat().st_size for path in source.options.open_directory(directory).files.values())
    found = {path for pattern in source.options.wanted_files for path in directory.glob(pattern)}
    return sum(path.stat().st_size for path in found)


def _without_files(source: ModelSource) -> str:
    return f"in the package {source.package}" if source.package else "without files of its own"


def table(figures: Figures) -> list[str]:
    """Return a line for each figure."""
    return [f"  {name:<26} {_worded(name, figure)}" for name, figure in figures.items()]


def _worded(name: str, figure: float | None) -> str:
    if figure is None:
        return f"not measured: it needs {_NEEDED.get(name, 'recordings of people (--recordings)')}"
    if name.startswith("score") or name == "rtf":
        return f"{figure:.3f}"
    return f"{100 * figure:.1f} %"


def bar(name: str, done: int, total: int) -> str:
    """Return a line that shows how much of a measurement is done."""
    return f"  {name:<28} {progress.bar(done, total)} {done} of {total}"
