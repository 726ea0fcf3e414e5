"""Model sets as administrators see them: what is here, what each can do, and what may be deleted."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from recognition.model_sets import selection
from recognition.model_sets.measured import MEASURED, Measured
from recognition.model_sets.reading import ModelSet, model_set_names, read_model_set

from . import model_sets
from .exceptions import SessionsError


class ModelsInUse(SessionsError):
    """The service has the models loaded."""


@dataclass(frozen=True, slots=True)
class Part:
    """One model of a set."""

    role: str
    title: str
    licence: str
    size: int
    is_here: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A model set with all that is decided about it on the page."""

    set: ModelSet
    parts: tuple[Part, ...]
    measured: Measured
    is_served: bool
    is_default: bool
    is_wanted: bool
    """The settings name it: the next start serves it."""

    own_directories: frozenset[Path]
    """See `own_directories`."""

    @property
    def name(self) -> str:
        return self.set.name

    @property
    def is_here(self) -> bool:
        return all(part.is_here for part in self.parts)

    @property
    def size(self) -> int:
        """Return the bytes of all that is fetched."""
        return sum(part.size for part in self.parts)

    @property
    def licences(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.licence for part in self.parts))

    @property
    def can_be_fetched(self) -> bool:
        return self.set.lacks_what_can_be_fetched(_models_dir())

    @property
    def can_be_deleted(self) -> bool:
        return not self.is_served and any(path.exists() for path in self.own_directories)

    @property
    def waits_for_a_restart(self) -> bool:
        """Return whether the next start serves it, and this one does not."""
        return self.is_wanted and not self.is_served


def entries() -> list[Entry]:
    """Return all sets: those that come with the product, and those of the settings."""
    wanted = selection.expanded(settings.MODEL_SETS, _models_dir())
    known = {name: read_model_set(name) for name in dict.fromkeys([*model_set_names(), *wanted])}
    served, default = model_sets.names(), model_sets.default_name()
    return [
        Entry(
            set=each,
            parts=_parts(each),
            measured=MEASURED.get(each.reference, Measured((), ())),
            is_served=each.name in served,
            is_default=each.name == default,
            is_wanted=name in wanted,
            own_directories=frozenset(own_directories(each, known.values())),
        )
        for name, each in known.items()
    ]


def find(name: str) -> Entry | None:
    """Return the set of this name; None if there is none."""
    return next((each for each in entries() if each.name == name), None)


def delete(entry: Entry) -> None:
    """Delete the files of a set that no other set has.

    Raises:
        ModelsInUse: If this service has it loaded.
    """
    if entry.is_served:
        raise ModelsInUse(_("These models are in use. Serve others first (ASR_MODELS), then delete them."))
    for directory in entry.own_directories:
        shutil.rmtree(directory, ignore_errors=True)


def own_directories(model_set: ModelSet, others: Iterable[ModelSet]) -> set[Path]:
    """Return the directories of fetched models that no other complete set needs."""
    own = set(_fetched(model_set))
    for other in others:
        if other.file != model_set.file and not other.missing(_models_dir()):
            own -= set(_fetched(other))
    return own


def _parts(model_set: ModelSet) -> tuple[Part, ...]:
    return tuple(
        Part(role, source.title, source.licence, source.size, not source.is_missing(_models_dir()))
        for role, source in model_set.sources.items()
    )


def _fetched(model_set: ModelSet) -> list[Path]:
    sources = [source for source in model_set.sources.values() if source.is_fetched]
    return [path for source in sources if (path := source.directory(_models_dir()))]


def _models_dir() -> Path:
    return Path(settings.MODELS_DIR)
