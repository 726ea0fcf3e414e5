"""`python -m training`: makes the embedded models, step by step or all at once.

Every step goes on where it was stopped; give the same command again.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from recognition.model_sets.reading import read_model_set
from training import (
    cards,
    checking,
    corpus,
    export,
    language_model,
    punctuation,
    recogniser,
    sample_meeting,
    speaker,
)
from training.loop import Machine
from training.plan import ACCELERATED, FULL, QUICK, QUICK_BOUNDS, Plan

WORK = Path("var/training")
MODELS = Path("recognition/model_sets/embedded")


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for on the command line."""

    plan: Plan
    work: Path
    models: Path
    recordings: list[Path]
    quick: bool
    model_set: str
    models_dir: Path
    seed: int
    processes: int
    machine: Machine
    start: Path | None

    def check(self, name: str, loss: float) -> None:
        if self.quick and loss > QUICK_BOUNDS[name]:
            sys.exit(
                f"The {name} has a loss of {loss:.2f} and should have come down to {QUICK_BOUNDS[name]}."
            )


def make_data(job: Job) -> None:
    corpus.make_corpus(
        job.work / "corpus",
        shards=job.plan.shards,
        utterances=job.plan.utterances,
        processes=job.processes,
    )


def train_recogniser(job: Job) -> None:
    plan = job.plan
    folder, data = job.work / "recogniser", job.work / "corpus"
    loss = recogniser.train(folder, plan.shape, plan.recogniser, data, job.machine, job.start)
    job.check("recogniser", loss)


def train_punctuation(job: Job) -> None:
    folder = job.work / "punctuation"
    job.check("punctuation", punctuation.train(folder, job.plan.punctuation_shape, job.plan.punctuation))
    print("F1 on held-out sentences:", punctuation.measure(folder))


def train_speaker(job: Job) -> None:
    plan = job.plan
    folder = job.work / "speaker"
    loss = speaker.train(
        folder, plan.speaker_shape, plan.speaker, job.recordings, machine=job.machine, start=job.start
    )
    job.check("speaker", loss)


def count_words(job: Job) -> None:
    folder = job.models / "language_model"
    counts = language_model.train(folder, job.plan.language_model)
    cards.write_language_model_card(folder, job.plan.language_model.texts, counts)


def export_models(job: Job) -> None:
    """Of those that were trained in this place."""
    exports = {
        "recogniser": (export.export_recogniser, "paraformer"),
        "punctuation": (export.export_punctuation, "punctuation"),
        "speaker": (export.export_speaker, "speaker"),
    }
    trained = [name for name in exports if (job.work / name / "checkpoint.pt").exists()]
    if not trained:
        sys.exit(f"Nothing was trained in {job.work}.")
    for name in trained:
        write, folder = exports[name]
        write(job.work / name / "checkpoint.pt", job.models / folder)


def make_sample(job: Job) -> None:
    sample_meeting.make(job.work / "sample" if job.quick else sample_meeting.FOLDER)


def check_models(job: Job) -> None:
    """Measure what was exported, or the set that is asked for."""
    people = next((folder for folder in job.recordings if speaker.has_test_people(folder)), None)
    if job.quick:
        file = job.models.with_suffix(".toml")
        shutil.copy(MODELS.with_suffix(".toml"), file)
        tiny = checking.Sizes(closed=4, noisy=2, open=2, turns=20, readings=2)
        checking.check(read_model_set(str(file)), job.models_dir, people=people, seed=job.seed, sizes=tiny)
        return
    model_set = read_model_set(job.model_set)
    figures = checking.check(model_set, job.models_dir, people=people, seed=job.seed)
    print("The figures are in", checking.record(model_set, figures, job.seed))
    if model_set.name == "embedded" and not job.seed:
        cards.write_cards(job.models, job.work, job.recordings, figures)


STEPS: dict[str, Callable[[Job], None]] = {
    "data": make_data,
    "recogniser": train_recogniser,
    "punctuation": train_punctuation,
    "speaker": train_speaker,
    "language_model": count_words,
    "export": export_models,
    "sample": make_sample,
    "check": check_models,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("step", choices=[*STEPS, "all"], help="what to do; all of it in this order")
    parser.add_argument("--quick", action="store_true", help="a few minutes' worth, apart from the real ones")
    parser.add_argument("--work", type=Path, default=WORK, help="where corpora and checkpoints lie")
    parser.add_argument(
        "--steps", type=int, help="other than the plan's, for the one training that is asked for"
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        action="append",
        default=[],
        help="a folder of recordings of people with a manifest.json; may be given several times",
    )
    parser.add_argument("--model-set", default="embedded", help="which set to check: a name, or a .toml file")
    parser.add_argument("--models-dir", type=Path, default=Path("var/models"), help="where hub models lie")
    parser.add_argument("--seed", type=int, default=0, help="of the sentences and voices to check with")
    parser.add_argument("--processes", type=int, default=1, help="that make data side by side")
    parser.add_argument("--device", default="cpu", help="to train on: cpu, or cuda for a graphics card")
    parser.add_argument(
        "--loaders", type=int, default=0, help="processes that prepare batches for the device"
    )
    parser.add_argument("--minutes", type=float, help="fit the training that is asked for into so much time")
    parser.add_argument(
        "--start-from",
        type=Path,
        help="an exported recogniser, which may be smaller, or an exported speaker embedding to start from",
    )
    options = parser.parse_args()
    if options.start_from and options.step not in ("recogniser", "speaker"):
        sys.exit(f"--start-from is for the recogniser or the speaker, not for {options.step}.")
    torch.set_num_threads(1)
    job = Job(
        plan=_plan(options),
        work=options.work / "quick" if options.quick else options.work,
        models=options.work / "quick" / "models" / "embedded" if options.quick else MODELS,
        recordings=options.recordings,
        quick=options.quick,
        model_set=options.model_set,
        models_dir=options.models_dir,
        seed=options.seed,
        processes=options.processes,
        machine=Machine(options.device, options.loaders, options.minutes),
        start=options.start_from,
    )
    for name in STEPS if options.step == "all" else [options.step]:
        STEPS[name](job)


def _plan(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else FULL if options.device == "cpu" else ACCELERATED
    if options.steps is None:
        return plan
    if options.step not in ("recogniser", "punctuation", "speaker"):
        sys.exit(f"--steps is for one training, not for {options.step}.")
    return replace(plan, **{options.step: replace(getattr(plan, options.step), steps=options.steps)})


if __name__ == "__main__":
    main()
