"""Doors for model families: the options of one kind of model, and how it is loaded with them.

A family brings a frozen dataclass derived from `ModelOptions` for each of its kinds; its fields are the
keys of `options` in a set's file, checked by `recognition.tables`. `recognition.model_sets.kinds` names it.
Its module imports no heavy library before `load`, for sets are also read where no model is ever loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol

from .interfaces import TURN_PENALTY, OfflineRecognizer
from .language_model import LanguageModel
from .tables import Between


@dataclass(frozen=True, slots=True)
class LoadContext:
    """A model's files and surroundings."""

    directory: Path
    """Holds its files; empty for a kind that has none there."""

    compute_type: str = "auto"
    device: str = "auto"
    """"auto", "cpu" or "cuda"."""

    language_model: LanguageModel | None = None
    """The set's, for kinds that take one."""

    offline: OfflineRecognizer | None = None
    """The set's second pass, for a first pass that uses it; None while it is not loaded itself."""


class Spells(Protocol):
    """Tells which words a recogniser can write."""

    def lacking(self, word: str) -> list[str]:
        """Return those parts of a word that it cannot write."""
        ...


@dataclass(frozen=True, slots=True)
class ModelOptions(ABC):
    """The options of one kind of model."""

    package: ClassVar[str] = ""
    """The Python package that brings the weights along; without one they lie in a directory."""

    has_files: ClassVar[bool] = True
    """Whether there are weights at all; one without takes no `path`, `hub` or `package`."""

    takes_language_model: ClassVar[bool] = False
    """Whether `load` makes use of the set's language model."""

    recognises_apart: ClassVar[bool] = False
    """Of a second pass: whether it and the first run on a thread of their own. For those that take long and
    let other threads compute meanwhile."""

    opens_after_fork: ClassVar[bool] = False
    """Whether each process must load the model itself: loaded before a fork it does not work behind it."""

    wanted_files: ClassVar[tuple[str, ...]] = ("*",)
    """Patterns of the files that are fetched from a hub, with the folder of those that lie in one."""

    @abstractmethod
    def load(self, context: LoadContext) -> Any:
        """Load the model: an object of the protocol class of its role, see `recognition.interfaces`.

        Raises:
            ModelError: If it is missing, damaged or of another kind; the message says what to do.
        """

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        """Return whether the model's files are there, without reading them."""
        return directory.is_dir() and any(directory.iterdir())

    @classmethod
    def spelling(cls, directory: Path) -> Spells | None:
        """Return what tells which words the model can write, without loading it; None if it can write all."""
        return None

    def spoken(self) -> tuple[str, ...]:
        """Return the codes of the languages that a recogniser knows, as "zh"; none if it does not say."""
        return ()

    def device(self, context: LoadContext) -> str:
        """Return the kind of device that the model computes on, "cpu" or "cuda"."""
        return "cpu"


@dataclass(frozen=True, slots=True)
class EmbedderOptions(ModelOptions):
    """The options of any kind of model that tells voices."""

    turn_penalty: Annotated[float, Between(0, 10)] = TURN_PENALTY
    """What one more turn in an utterance must gain; it depends on how the model's answers scatter."""
