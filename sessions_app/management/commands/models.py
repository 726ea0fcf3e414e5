"""`manage.py models`: list model sets, fetch what is missing of one, measure one."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recognition import progress
from recognition.exceptions import ModelError, RecordingsError
from recognition.model_sets import download, hub, reading, selection
from recognition.model_sets.fetching import Fetching
from recognition.model_sets.reading import ModelSet, ModelSource, model_set_names, read_model_set
from sessions_app import sample

if TYPE_CHECKING:
    from recognition.evaluation.measuring import Recording

_REDRAW_S = 0.2


class Command(BaseCommand):
    help = "List model sets, fetch what is missing of one, or measure one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="which sets there are, and whether they are here")
        pull = actions.add_parser("pull", help="fetch what is missing of a set; goes on where it was stopped")
        pull.add_argument("model_set", nargs="?", help="name, or path of a .toml")
        pull.add_argument(
            "--from",
            type=Path,
            dest="folder",
            help="a folder with the files under any names, or with wheels; asked before the network is",
        )
        pin = actions.add_parser(
            "pin",
            help="print a set's file that takes the weights that are here, and no others",
        )
        pin.add_argument("model_set", help="name, or path of a .toml")
        check = actions.add_parser(
            "check", help="size, licence, error rates and speed of a set, measured here"
        )
        check.add_argument("model_set", nargs="?", help="name, or path of a .toml")
        check.add_argument(
            "--recordings",
            type=Path,
            help="a folder of recordings of people with a manifest.json; without it only the sample meeting",
        )

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            if action == "list":
                self._list()
            elif action == "pin":
                found = download.pinned(_chosen(options["model_set"]), Path(settings.MODELS_DIR))
                self.stdout.write(found, ending="")
            elif action == "check":
                self._check(_chosen(options["model_set"]), options["recordings"])
            else:
                self._pull_all(options["model_set"], options["folder"], options["verbosity"])
        except (ModelError, RecordingsError) as error:
            raise CommandError(str(error)) from error

    def _list(self) -> None:
        used = selection.expanded(settings.MODEL_SETS, Path(settings.MODELS_DIR))
        for name in dict.fromkeys([*model_set_names(), *used]):
            model_set = read_model_set(name)
            in_use = "   (in use)" if name in used else ""
            self.stdout.write(self.style.MIGRATE_HEADING(f"{name}: {model_set.title}{in_use}"))
            if model_set.description:
                self.stdout.write(f"  {model_set.description}")
            missing = model_set.missing(Path(settings.MODELS_DIR))
            for role, source in model_set.sources.items():
                state = "missing" if source in missing else "here"
                size = f"{_megabytes(source.size)}  " if source.size else ""
                origin = _origin(source)
                self.stdout.write(f"  {role:<14} {source.title}  {size}{source.licence}  {origin}  {state}")
            if any(source.is_fetched for source in missing):
                self.stdout.write(f"  fetch with: python manage.py models pull {name}")

    def _pull_all(self, name: str | None, folder: Path | None, verbosity: int) -> None:
        if folder and not folder.is_dir():
            raise CommandError(f"there is no folder {folder}")
        wanted = [] if name else selection.to_fetch(settings.MODEL_SETS, Path(settings.MODELS_DIR))
        for model_set in wanted or [_chosen(name)]:
            self._pull(model_set, folder, verbosity)

    def _pull(self, model_set: ModelSet, folder: Path | None, verbosity: int) -> None:
        if not any(source.is_fetched for source in model_set.sources.values()):
            self.stdout.write(f"{model_set.name} has all its files in the installation.")
            return
        bar = _Bar(self.stdout)
        fetching = Fetching(folder, bar.tell if verbosity else Fetching().tell)
        download.pull(model_set, Path(settings.MODELS_DIR), report=bar.show_download, fetching=fetching)
        self.stdout.write(self.style.SUCCESS(f"{model_set.name} is complete in {settings.MODELS_DIR}"))

    def _check(self, model_set: ModelSet, people: Path | None) -> None:
        from recognition.evaluation import checking  # loads torch, for which list and pull need not wait
        from recognition.evaluation.measuring import Evaluation
        from recognition.evaluation.recordings import listed
        from recognition.model_sets.loading import load_models

        entries = listed(people) if people else []
        models_dir = Path(settings.MODELS_DIR)
        self.stdout.write(self.style.MIGRATE_HEADING(f"{model_set.name}: {model_set.title}"))
        _refuse_damaged(model_set, models_dir)
        models = load_models(model_set, models_dir)
        self._write_lines(checking.inventory(model_set, models_dir))
        bar = _Bar(self.stdout)

        def report(name: str, done: int, total: int) -> None:
            bar.show(checking.bar(name, done, total), is_full=done == total)

        evaluation = Evaluation(models, model_set.endpointing, report)
        self._write_lines(checking.table(checking.figures(evaluation, _sample_meeting(), entries)))

    def _write_lines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _chosen(name: str | None) -> ModelSet:
    """Return the set of this name, or the default of the settings."""
    if name:
        return read_model_set(name)
    return selection.selected(settings.MODEL_SETS, Path(settings.MODELS_DIR))[0]


def _refuse_damaged(model_set: ModelSet, models_dir: Path) -> None:
    """Read every byte of what was fetched; what is missing altogether is told when it is loaded."""
    if model_set.lacks_what_can_be_fetched(models_dir):
        return
    # Models that were not fetched but put there by hand have no manifest.
    damaged = [path for path in download.damaged(model_set, models_dir) if path.name != hub.MANIFEST]
    if damaged:
        raise CommandError(
            f"{', '.join(map(str, damaged))} is not what was fetched, and is damaged; delete it and fetch it "
            f"again: python manage.py models pull {model_set.reference}"
        )


class _Bar:
    """A line for each thing to do, drawn over on a terminal, written once in a log."""

    def __init__(self, stdout: Any) -> None:
        self._stdout = stdout
        self._is_terminal = stdout.isatty()
        self._drawn_at = 0.0
        self._is_open = False

    def show_download(self, state: download.Progress) -> None:
        amount = f"{_megabytes(state.done)} of {_megabytes(state.total)}"
        line = f"{state.source.title:<26} {progress.bar(state.done, state.total)} {amount}"
        self.show(line, is_full=state.done >= state.total)

    def show(self, line: str, *, is_full: bool) -> None:
        now = time.monotonic()
        if not is_full and (not self._is_terminal or now - self._drawn_at < _REDRAW_S):
            return
        self._drawn_at, self._is_open = now, not is_full
        self._stdout.write(("\r" if self._is_terminal else "") + line, ending="\n" if is_full else "")
        self._stdout.flush()

    def tell(self, line: str) -> None:
        """Write a line below the bar."""
        if self._is_open:
            self._stdout.write("")
        self._is_open = False
        self._stdout.write(line)


def _sample_meeting() -> Recording:
    from recognition.evaluation.measuring import Recording
    from recognition.evaluation.recordings import read

    folder = Path(sample.__file__).parent
    lines = json.loads((folder / "reference.json").read_text(encoding="utf-8"))["lines"]
    return Recording(read(folder / "meeting.flac"), "".join(line["text"] for line in lines), "")


def _origin(source: ModelSource) -> str:
    is_ours = source.path and Path(source.path).is_relative_to(Path(reading.__file__).parent)
    if is_ours:
        return "in this repository"
    return source.hub or _places(source) or source.package or source.path or "no files of its own"


def _places(source: ModelSource) -> str:
    """Return the places of files that are named by their content, each once."""
    places = (str(place) for file in source.files.values() for place in file.places)
    return " or ".join(dict.fromkeys(place.partition(" (")[0] for place in places))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"
