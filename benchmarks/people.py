"""What the set `people` makes of people, and what it costs.

    ASR_ASSETS=FOLDER python -m benchmarks.people [--models SET]

Recordings are at ASR_ASSETS, with a manifest as `recognition.evaluation.recordings` reads it: Mandarin in
`speech/aishell3` and `speech/aishell1`, rooms and noises in `speech/augment`. Each recording is a session of
its own, finals only, in which nothing else goes on; costs are processor time of all models together.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from recognition import progress
from recognition.audio import seconds
from recognition.evaluation import conditions, lines, recordings
from recognition.evaluation.measuring import Evaluation, Recording, error_rate
from recognition.interfaces import Models, SessionContext
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set

from . import results

GOALS = {
    "cer_aishell3": 0.12,
    "cer_aishell1": 0.15,
    "cer_noise_10db": 0.14,
    "cer_room": 0.17,
    "cer_telephone": 0.16,
    "hallucinated": 0,
    "lost": 0,
    "marks_f1": 0.6,
    "cuts_inside_words": 0,
    "cpu_ms_finals": 60,
    "cpu_ms_partials": 160,
}

AT_LEAST = ("marks_f1",)

_SPONTANEOUS = "vad_example"
"""A recording of spontaneous talk, and the name of the text in `marked` that has its marks."""

_SEEDS = (1, 2)
_LANGUAGES = ("zh", "en")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default="people", metavar="SET", help="a model set's name or file")
    options = parser.parse_args()
    assets = os.environ.get("ASR_ASSETS")
    if not assets:
        sys.exit("Set ASR_ASSETS to a folder of recordings with a manifest.json.")
    torch.set_num_threads(1)
    model_set = read_model_set(options.models)
    models = load_models(model_set, Path("var/models"))
    evaluation = Evaluation(models, model_set.endpointing, _show)
    figures = measure(evaluation, Path(assets))
    figures["hallucinated"] = hallucinated(models, _sounds(Path(assets), "noise"))
    figures |= placed(evaluation, Path(assets))
    path = results.write("people", figures)
    for name in GOALS:
        figure = figures[name]
        print(f"  {name:<18} {figure:<8} {'at least' if name in AT_LEAST else 'at most'} {GOALS[name]}")
    met = sum(_is_met(name, figures[name]) for name in GOALS)
    print(f"people: {met} of {len(GOALS)} goals -> {path}")


def _is_met(name: str, figure: float) -> bool:
    return figure >= GOALS[name] if name in AT_LEAST else figure <= GOALS[name]


def measure(evaluation: Evaluation, assets: Path) -> dict[str, float]:
    """Return error rates under all conditions, lines that were lost, and costs."""
    many, one = _lines(assets, "aishell3"), _lines(assets, "aishell1")
    noises, rooms = _sounds(assets, "noise"), _sounds(assets, "RIR")
    found = {name: _texts(evaluation, name, lines) for name, lines in (("aishell3", many), ("aishell1", one))}
    figures = {
        "cer_aishell3": error_rate(many, found["aishell3"]),
        "cer_aishell1": error_rate(one, found["aishell1"]),
    }
    changes: dict[str, Callable[[int, np.ndarray], np.ndarray]] = {
        "noise_10db": lambda row, audio: conditions.noisy(audio, noises[row % len(noises)], 10),
        "room": lambda row, audio: conditions.in_a_room(audio, rooms[row % len(rooms)]),
        "telephone": lambda _, audio: conditions.by_telephone(audio),
    }
    for name, change in changes.items():
        changed = [Recording(change(row, r.audio), r.text, r.voice) for row, r in enumerate(many)]
        figures[f"cer_{name}"] = error_rate(many, _texts(evaluation, name, changed))
    figures["lost"] = sum(not text for texts in found.values() for text in texts)
    figures["cpu_ms_finals"] = _cost(evaluation, many, partials=False)
    figures["cpu_ms_partials"] = _cost(evaluation, many, partials=True)
    return {name: round(figure, 4) for name, figure in figures.items()}


def placed(evaluation: Evaluation, assets: Path) -> dict[str, float]:
    """Return how well marks are placed in spontaneous talk, and how many lines end inside a word.

    The lines are those of ten minutes in which one reader does not pause.
    """
    marked = (Path(__file__).parent / "marked" / f"{_SPONTANEOUS}.txt").read_text(encoding="utf-8")
    talk = recordings.read(assets / "speech" / "zh_asr" / f"{_SPONTANEOUS}.flac")
    sentences = _lines(assets, "aishell1")
    unbroken = np.concatenate([conditions.without_pauses(sentence.audio) for sentence in sentences])
    found = [
        [
            final.text
            for final in evaluation.transcribe(name, [Recording(audio, "", "")], partials=False)[0].finals
        ]
        for name, audio in (("spontaneous", talk), ("without pauses", unbroken))
    ]
    return {
        "marks_f1": round(lines.marks_f1(marked, found[0]), 3),
        "lines_without_pauses": len(found[1]),
        "cuts_inside_words": lines.ends_inside_words([sentence.text for sentence in sentences], found[1]),
    }


def hallucinated(models: Models, noises: Sequence[np.ndarray]) -> int:
    """Return in how many pieces something is written that nobody said, by the second pass alone."""
    pieces = [
        (piece, name)
        for seed in _SEEDS
        for piece in conditions.nobody_speaks(noises, seed)
        for name in _LANGUAGES
    ]
    written = 0
    for done, (piece, language) in enumerate(pieces, start=1):
        written += bool(models.offline.recognize([piece], [SessionContext(language)])[0])
        _show("nobody speaks", done, len(pieces))
    return written


def _texts(evaluation: Evaluation, name: str, lines: Sequence[Recording]) -> list[str]:
    return [found.text for found in evaluation.transcribe(name, lines, partials=False)]


def _cost(evaluation: Evaluation, lines: Sequence[Recording], *, partials: bool) -> float:
    """Return milliseconds of the processor for each second of speech."""
    started = time.process_time()
    evaluation.transcribe("cost with partials" if partials else "cost of finals", lines, partials=partials)
    spent = time.process_time() - started
    return 1000 * spent / seconds(sum(len(line.audio) for line in lines))


def _lines(assets: Path, folder: str) -> list[Recording]:
    entries = recordings.listed(assets, under=f"speech/{folder}/")
    return [Recording(recordings.read(each.path), each.text or "", each.speaker) for each in entries]


def _sounds(assets: Path, name: str) -> list[np.ndarray]:
    return [recordings.read(path) for path in _sorted((assets / "speech" / "augment").glob(f"{name}*.flac"))]


def _sorted(paths: Iterable[Path]) -> list[Path]:
    found = sorted(paths)
    if not found:
        sys.exit("There are no rooms and noises in speech/augment.")
    return found


def _show(name: str, done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\r  {name:<20} {progress.bar(done, total)} {done} of {total}", end=end, flush=True)


if __name__ == "__main__":
    main()
