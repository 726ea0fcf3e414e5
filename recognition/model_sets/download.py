"""Fetches the models of a set, and finds what is damaged; a running service imports nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recognition.exceptions import ModelError

from . import hub
from .fetching import Fetching, fetch_files, is_here
from .reading import ModelSet, ModelSource


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the files of one model."""

    source: ModelSource
    done: int
    """Bytes that are here."""
    total: int


Report = Callable[[Progress], None]


def pull(
    model_set: ModelSet,
    models_dir: Path,
    *,
    report: Report = lambda progress: None,
    endpoint: str | None = None,
    fetching: Fetching | None = None,
) -> None:
    """Fetch what is missing of a set, and of files that are named by their content what is damaged.

    Args:
        report: Called whenever bytes have arrived.
        endpoint: Address of the hub; MODELSCOPE_ENDPOINT or ModelScope's by default.
        fetching: For files that are named by their content.

    Raises:
        ModelError: If something cannot be had. What is complete stays; the next call goes on from there.
    """
    for source in model_set.sources.values():
        if source.is_fetched:
            directory = _directory(source, models_dir)
            try:
                _pull(source, directory, report, endpoint, fetching or Fetching())
            except OSError as error:
                place = f"{source.hub or source.title} cannot be kept in {directory}"
                raise ModelError(f"{place}: {error.strerror or error}") from error


def pinned(model_set: ModelSet, models_dir: Path) -> str:
    """Return a set like this one, as its file has it, that takes what is here and nothing else.

    Raises:
        ModelError: If something is missing or damaged, so that nobody should rely on it.
    """
    if wrong := damaged(model_set, models_dir):
        raise ModelError(f"{', '.join(map(str, wrong))} is missing or damaged: fetch the set first")
    lines = [f'base = "{model_set.reference}"']
    for role, source in model_set.sources.items():
        if source.hub:
            lines += ["", f"[{role}.sha256]"]
            hashes = hub.known_hashes(_directory(source, models_dir))
            lines += [f'"{name}" = "{sha256}"' for name, sha256 in sorted(hashes.items())]
    return "\n".join(lines) + "\n"


def damaged(model_set: ModelSet, models_dir: Path) -> list[Path]:
    """Return files that are missing or no longer what was fetched; reads every byte."""
    found: list[Path] = []
    for source in model_set.sources.values():
        if source.hub:
            found += hub.damaged_files(_directory(source, models_dir))
        elif source.files:
            found += _damaged_by_content(source, _directory(source, models_dir))
    return found


def _pull(
    source: ModelSource, directory: Path, report: Report, endpoint: str | None, fetching: Fetching
) -> None:
    def tell(done: int, total: int = source.size) -> None:
        report(Progress(source, done, total))

    if source.hub:
        hub.fetch_model(source, directory, tell, endpoint)
    else:
        fetch_files(source.files, directory, fetching, tell)


def _damaged_by_content(source: ModelSource, directory: Path) -> list[Path]:
    there = [
        file for file in source.files.values() if not file.is_optional or (directory / file.name).exists()
    ]
    return [directory / file.name for file in there if not is_here(file, directory)]


def _directory(source: ModelSource, models_dir: Path) -> Path:
    directory = source.directory(models_dir)
    assert directory is not None
    return directory
