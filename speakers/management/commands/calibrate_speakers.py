"""`manage.py calibrate_speakers`: how well voices are told apart here, and the settings that suit them."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from recognition.engine.engine import Engine
from recognition.exceptions import ModelError
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.selection import selected
from speakers import calibration, listening
from speakers.decoding import decode
from speakers.enrollment import kept_recording
from speakers.exceptions import BadRecording, TooFewVoices, Undecipherable
from speakers.jobs import in_database
from speakers.listening import Recording
from speakers.models import Speaker, Voiceprint
from speakers.voiceprints import trials
from speakers.voiceprints.fitting import fit
from speakers.voiceprints.identification import IdentificationOptions
from speakers.voiceprints.scoring import probability
from speakers.voiceprints.trials import Errors, Material, Measured

MAX_PEOPLE = 300
"""More teach little more, and take long to listen to."""


class Command(BaseCommand):
    help = (
        "Measure how well this installation's model tells its voices apart, and propose when a voice gets a "
        "name. Listens to the kept recordings of enrolled speakers, or to a folder of recordings."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--recordings",
            type=Path,
            metavar="FOLDER",
            help="listen to these instead: one folder per person in it, with two audio files or more",
        )
        parser.add_argument(
            "--models", metavar="NAME", help="listen with this of the served model sets, not with the first"
        )
        parser.add_argument("--save", action="store_true", help="use what is proposed from now on")

    def handle(
        self, *args: Any, recordings: Path | None, save: bool, models: str | None, **options: Any
    ) -> None:
        if recordings is not None and not recordings.is_dir():
            raise CommandError(f"--recordings {recordings}: there is no such folder")
        loaded = _load_models(models)
        if loaded.embedder is None:
            raise CommandError(f"The model set {loaded.name} has no [speaker]: it tells no voices apart.")
        model_id = loaded.embedder.model_id
        self.stdout.write(f"Listening with {model_id} ...")
        material = asyncio.run(_listen(loaded, recordings))
        try:
            cohort = calibration.cohort(model_id, material.voices)
            measured = trials.measure(material, cohort)
            scoring = fit(material.pieces, cohort)
            proposed = trials.propose(trials.try_out(material, scoring), enrolled=Speaker.objects.count())
        except TooFewVoices as error:
            raise CommandError(f"There is not enough to measure: {error}.") from error
        self._report(measured, proposed)
        if save:
            calibration.keep(model_id, scoring, proposed, measured)
            self.stdout.write(self.style.SUCCESS("Saved: all workers use it within seconds."))
        else:
            self.stdout.write("Nothing is changed. With --save, workers use it from now on.")

    def _report(self, measured: Measured, proposed: IdentificationOptions) -> None:
        write = self.stdout.write
        write(
            f"{measured.people} people, {measured.recordings} recordings, {measured.pieces} pieces of them.\n"
        )
        write("speech   equal error   right of all   strangers named   not named   wrong name")
        for length, rate in measured.eer.items():
            errors = measured.errors.get(length)
            write(f"{length:4.0f} s {rate:12.1%} {measured.accuracy[length]:14.1%} {_row(errors)}")
        if not measured.errors:
            write("With six people or more, of whom there are several recordings each, the other columns say")
            write("what the proposed settings do to people from whom nothing was learnt.")
        write("")
        write(f"Proposed: threshold {probability(proposed.threshold):.4f}")
        write(f"          margin {proposed.margin:.1f}")
        write(f"          shortest speech {proposed.shortest_speech_s:.1f} s")


def _row(errors: Errors | None) -> str:
    if errors is None:
        return f"{'-':>17} {'-':>11} {'-':>12}"
    return f"{errors.false_accepts:17.1%} {errors.false_rejects:11.1%} {errors.wrong_names:12.1%}"


def _load_models(name: str | None) -> Models:
    try:
        sets = {each.name: each for each in selected(settings.MODEL_SETS, Path(settings.MODELS_DIR))}
        if name and name not in sets:
            raise CommandError(f"--models {name}: served are {', '.join(sets)}")
        return load_models(
            sets[name or next(iter(sets))],
            Path(settings.MODELS_DIR),
            compute_type=settings.COMPUTE_TYPE,
            device=settings.DEVICE,
        )
    except ModelError as error:
        raise CommandError(str(error)) from error


async def _listen(models: Models, folder: Path | None) -> Material:
    engine = Engine(models)
    engine.start()
    try:
        return await listening.gather(engine, _from_folder(folder) if folder else _from_voiceprints())
    finally:
        await engine.aclose()


async def _from_folder(folder: Path) -> AsyncIterator[Recording]:
    for file in await asyncio.to_thread(_files, folder):
        try:
            audio = await asyncio.to_thread(decode, _chunks(file))
        except BadRecording as error:
            raise CommandError(f"{file}: {error}") from error
        yield file.parent.name, str(file), audio


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(2**20):
            yield chunk


async def _from_voiceprints() -> AsyncIterator[Recording]:
    for speaker, key in await in_database(_voiceprints):
        try:
            audio = await in_database(kept_recording, key)
        except Undecipherable as error:
            raise CommandError(str(error)) from error
        if audio is not None:
            yield speaker, key, audio


def _voiceprints() -> list[tuple[int, int]]:
    """Return speaker and key of each; first of those people of whom there are most."""
    kept = Voiceprint.objects.exclude(audio="")
    counts = kept.order_by().values("speaker").annotate(count=Count("pk")).order_by("-count", "speaker")
    people = list(counts.values_list("speaker", flat=True)[:MAX_PEOPLE])
    return list(kept.filter(speaker__in=people).order_by("speaker", "pk").values_list("speaker", "pk"))
