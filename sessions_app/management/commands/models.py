"""`manage.py models`: list model sets, fetch those that come from a hub, measure one."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recognition.exceptions import ModelError
from recognition.model_sets import download, reading
from recognition.model_sets.reading import ModelSet, ModelSource, model_set_names, read_model_set

_BAR = 30
_REDRAW_S = 0.2


class Command(BaseCommand):
    help = "List model sets, fetch those that come from ModelScope's hub, or measure one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="which sets there are, and whether they are here")
        pull = actions.add_parser("pull", help="fetch what is missing of a set; goes on where it was stopped")
        pull.add_argument("model_set", nargs="?", default=settings.MODEL_SET, help="name, or path of a .toml")
        check = actions.add_parser(
            "check", help="size, licence and error rates of a set, measured on the spot"
        )
        check.add_argument(
            "model_set", nargs="?", default=settings.MODEL_SET, help="name, or path of a .toml"
        )
        check.add_argument(
            "--recordings",
            type=Path,
            help="a folder of recordings of people with a manifest.json; without it only synthetic speech",
        )
        check.add_argument("--seed", type=int, default=0, help="of the sentences and voices to check with")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            if action == "list":
                self._list()
            elif action == "check":
                self._check(options["model_set"], options["recordings"], options["seed"])
            else:
                self._pull(read_model_set(options["model_set"]))
        except ModelError as error:
            raise CommandError(str(error)) from error

    def _list(self) -> None:
        names = model_set_names()
        if settings.MODEL_SET not in names:
            names.append(settings.MODEL_SET)
        for name in names:
            model_set = read_model_set(name)
            in_use = "   (in use)" if name == settings.MODEL_SET else ""
            self.stdout.write(self.style.MIGRATE_HEADING(f"{name}: {model_set.title}{in_use}"))
            if model_set.description:
                self.stdout.write(f"  {model_set.description}")
            missing = model_set.missing(Path(settings.MODELS_DIR))
            for role, source in model_set.sources.items():
                state = "missing" if source in missing else "here"
                size = f"{_megabytes(source.size)}  " if source.size else ""
                origin = _origin(source)
                self.stdout.write(f"  {role:<14} {source.title}  {size}{source.licence}  {origin}  {state}")
            if any(source.hub for source in missing):
                self.stdout.write(f"  fetch with: python manage.py models pull {name}")

    def _pull(self, model_set: ModelSet) -> None:
        if not any(source.hub for source in model_set.sources.values()):
            self.stdout.write(f"{model_set.name} needs nothing from a hub.")
            return
        bar = _ProgressBar(self.stdout)
        download.pull(model_set, Path(settings.MODELS_DIR), report=bar.show)
        self.stdout.write(self.style.SUCCESS(f"{model_set.name} is complete in {settings.MODELS_DIR}"))

    def _check(self, name: str, recordings: Path | None, seed: int) -> None:
        try:
            from training import checking  # speaks what it checks with: needs the development packages
        except ImportError as error:
            raise CommandError(
                f"Checking needs {error.name}: install it with `pip install -r requirements-dev.txt`"
            ) from error
        if recordings is not None and not (recordings / "manifest.json").is_file():
            raise CommandError(f"{recordings} has no manifest.json")
        model_set = read_model_set(name)
        try:
            figures = checking.check(model_set, Path(settings.MODELS_DIR), people=recordings, seed=seed)
        except checking.SynthesisError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The figures are in {checking.record(model_set, figures, seed)}")


class _ProgressBar:
    """One line per model, drawn over on a terminal, written once in a log."""

    def __init__(self, stdout: Any) -> None:
        self._stdout = stdout
        self._is_terminal = stdout.isatty()
        self._drawn_at = 0.0

    def show(self, progress: download.Progress) -> None:
        is_whole = progress.done >= progress.total
        now = time.monotonic()
        if not is_whole and (not self._is_terminal or now - self._drawn_at < _REDRAW_S):
            return
        self._drawn_at = now
        filled = _BAR * progress.done // max(1, progress.total)
        line = (
            f"{progress.source.title:<26} [{'=' * filled}{' ' * (_BAR - filled)}] "
            f"{_megabytes(progress.done)} of {_megabytes(progress.total)}"
        )
        self._stdout.write(("\r" if self._is_terminal else "") + line, ending="\n" if is_whole else "")
        self._stdout.flush()


def _origin(source: ModelSource) -> str:
    is_ours = source.path and Path(source.path).is_relative_to(Path(reading.__file__).parent)
    if is_ours:
        return "in this repository"
    return source.hub or source.package or source.path or "no files of its own"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"
