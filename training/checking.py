"""Measures a model set with speech that no model was trained on, spoken anew (`evaluation_sets`).

    python -m training.checking [SET] [--recordings FOLDER] [--seed NUMBER]

People are measured where a folder of licensed recordings is at hand. `manage.py models check` speaks nothing;
what both do is in `recognition.evaluation`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import results
from recognition.audio import seconds
from recognition.core.endpointing import EndpointingOptions
from recognition.evaluation import checking, recordings
from recognition.evaluation.measuring import (
    SILENCE,
    Evaluation,
    Figures,
    Recording,
    Report,
    error_rate,
)
from recognition.evaluation.scoring import equal_error_rate, mark_f1
from recognition.evaluation.voices import trial_scores
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, read_model_set
from training import evaluation_sets, punctuation, sample_meeting, speaker

__all__ = ["Check", "Sizes", "check", "record"]

PEOPLE = {"cer_people": "speech/aishell3/", "cer_one_person": "speech/aishell1/"}
"""Figure, and where in a folder of recordings its readings lie."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything to measure with."""

    closed: int = 200
    noisy: int = 150
    open: int = 150
    turns: int = 400
    readings: int = 150
    """Of the speaker of many readings."""


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
        self._evaluation = Evaluation(models, endpointing, report)
        self._people, self._seed, self._sizes = people, seed, sizes or Sizes()

    def figures(self) -> Figures:
        """Return all figures; those that cannot be had here are None."""
        return self.recognition() | self.sample_meeting() | self.punctuation() | self.speakers()

    def recognition(self) -> Figures:
        """Return error rates of what is spoken anew, and of people."""
        evaluation, sizes = self._evaluation, self._sizes
        closed, noisy, free, family = (
            evaluation_sets.make(name, count=count, seed=self._seed)
            for name, count in (
                ("closed", sizes.closed),
                ("noise_10db", sizes.noisy),
                ("open", sizes.open),
                ("family", sizes.noisy),
            )
        )
        started, transcripts = time.process_time(), evaluation.transcribe("unseen voices", closed)
        spent = time.process_time() - started
        return {
            "cer_unseen_voices": error_rate(closed, (found.text for found in transcripts)),
            "cer_partials": evaluation.partial_error_rate(closed, transcripts),
            "cer_noise_10db": evaluation.error_rate("noise", noisy),
            "cer_open": evaluation.error_rate("open vocabulary", free),
            "cer_unseen_family": evaluation.error_rate("unseen family of sentences", family),
            "rtf": spent / sum(seconds(len(one.audio) + len(SILENCE)) for one in closed),
        } | {name: evaluation.error_rate("people", self._readings(under)) for name, under in PEOPLE.items()}

    def _readings(self, under: str) -> Sequence[Recording]:
        readings = evaluation_sets.people(self._people, under) if self._people else []
        return readings[: self._sizes.readings]

    def sample_meeting(self) -> Figures:
        """Return the error rate of the sample meeting."""
        meeting = recordings.read(sample_meeting.FOLDER / "meeting.flac")
        said = "".join(turn.text for turn in sample_meeting.read_script().turns)
        recorded = [Recording(meeting, said, "")]
        return {"sample_meeting_cer": self._evaluation.error_rate("sample meeting", recorded)}

    def punctuation(self) -> Figures:
        """Return how many marks of held-out turns are found."""
        punctuator = self._evaluation.models.punctuator
        if punctuator is None:
            return {"punctuation_f1": None}
        source = punctuation.turns(Random(f"evaluation punctuation {self._seed}"), held_out=True)
        expected = [punctuation.labelled(turn) for turn in islice(source, self._sizes.turns)]
        given = punctuator.punctuate([characters for characters, _ in expected])
        self._evaluation.report("punctuation", 1, 1)
        pairs = [(marks, found) for (_, marks), found in zip(expected, given, strict=True)]
        return {"punctuation_f1": mark_f1(pairs, "，。？")}

    def speakers(self) -> Figures:
        """Return how well people are told apart, and voices that no training has heard."""
        embedder = self._evaluation.models.embedder
        if embedder is None:
            return {**self._evaluation.voices([]), "eer_synthetic_3s": None}
        figures = self._evaluation.voices(speaker.test_people(self._people) if self._people else [])
        same, different = trial_scores(embedder, speaker.unseen_made_voices(), 3)
        figures["eer_synthetic_3s"], _ = equal_error_rate(same, different)
        self._evaluation.report("synthetic voices", 1, 1)
        return figures


def check(model_set: ModelSet, models_dir: Path, **options: Any) -> Figures:
    """Measure a set, telling the terminal how it goes and what it is; see `Check` for the options.

    Raises:
        ModelError: If the set cannot be loaded.
    """
    print(f"{model_set.name}: {model_set.title}")
    print(*checking.inventory(model_set, models_dir), sep="\n")
    models = load_models(model_set, models_dir)
    figures = Check(models, model_set.endpointing, report=_draw, **options).figures()
    print(*checking.table(figures), sep="\n")
    return figures


def record(model_set: ModelSet, figures: Figures, seed: int) -> Path:
    """Keep the figures: those of the embedded set and seed 0 as `models.json`, others beside it."""
    name = "models" if model_set.name == "embedded" else f"models-{Path(model_set.name).stem}"
    return results.write(f"{name}-seed-{seed}" if seed else name, figures)


def _draw(name: str, done: int, total: int) -> None:
    """Draw a bar over and over on a terminal; elsewhere write one line when it is full."""
    is_whole = done == total
    if sys.stdout.isatty():
        print(f"\r{checking.bar(name, done, total)}", end="\n" if is_whole else "", flush=True)
    elif is_whole:
        print(checking.bar(name, done, total), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.checking", description="Measure a model set.")
    parser.add_argument("model_set", nargs="?", default="embedded", help="name, or path of a .toml")
    parser.add_argument("--models-dir", type=Path, default=Path("var/models"), help="where hub models lie")
    parser.add_argument("--recordings", type=Path, help="a folder of recordings with a manifest.json")
    parser.add_argument("--seed", type=int, default=0, help="of the sentences and voices to check with")
    options = parser.parse_args()
    model_set = read_model_set(options.model_set)
    figures = check(model_set, options.models_dir, people=options.recordings, seed=options.seed)
    print("The figures are in", record(model_set, figures, options.seed))


if __name__ == "__main__":
    main()
