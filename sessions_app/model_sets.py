"""The model sets that this installation serves, and the one that new sessions get."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from recognition.model_sets import selection
from recognition.model_sets.reading import ModelSet


def served() -> tuple[ModelSet, ...]:
    """Return the sets of the settings, in their order; the same for as long as the process lives.

    Raises:
        ModelSetError: If one cannot be read.
    """
    return read_once(tuple(settings.MODEL_SETS), Path(settings.MODELS_DIR))


read_once = lru_cache(maxsize=8)(selection.selected)


def names() -> list[str]:
    """Return the names of the served sets, as sessions keep them and sockets ask for them."""
    return [each.name for each in served()]


def default_name() -> str:
    """Return the name of the set of a session whose sender asks for none."""
    return names()[0]


def are_small_ones_alone() -> bool:
    """Return whether there is nothing but the built-in set, which does not recognise people."""
    return [each.reference for each in served()] == [selection.ALWAYS_THERE]
