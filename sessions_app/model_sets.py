"""The model sets that this installation serves, and the one that new sessions get."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from recognition.model_sets import selection
from recognition.model_sets.reading import ModelSet

from .models import DefaultModels

TITLES = [
    gettext_noop("Embedded models"),
    gettext_noop("Paraformer, Mandarin"),
    gettext_noop("SenseVoice, five languages"),
    gettext_noop("Whisper, multilingual"),
]
"""Of the sets that come with the product, for `make translations`."""


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
    """Return the set of a session whose sender asks for none: the admin's choice, else the first."""
    known = names()
    chosen = DefaultModels.objects.values_list("name", flat=True).first()
    return chosen if chosen in known else known[0]


def choices() -> list[tuple[str, str]]:
    """Return name and title of each set, the title in the reader's language."""
    return [(each.name, gettext(each.title)) for each in served()]


def are_small_ones_alone() -> bool:
    """Return whether there is nothing but the built-in set, which does not recognise people."""
    return [each.reference for each in served()] == [selection.ALWAYS_THERE]
