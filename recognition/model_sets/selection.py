"""The model sets that a service serves, by the names in its settings; `auto` is the best that is there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from recognition.exceptions import ModelSetError

from .reading import ModelSet, model_set_names, read_model_set

AUTO = "auto"

BEST_FIRST = ("paraformer-zh", "people", "embedded")
"""The order in which `auto` prefers sets; only those whose files are there."""

FETCHED_BY_AUTO = "people"
"""The set that a first start fetches for `auto`."""

ALWAYS_THERE = "embedded"
"""The set in the repository; `auto` serves it beside the best, for the voices of the sample meeting."""


def selected(names: Iterable[str], models_dir: Path) -> tuple[ModelSet, ...]:
    """Return the sets to serve, the default first.

    Args:
        names: Names of sets or paths of their files, or `auto`.
        models_dir: Where fetched models are kept.

    Raises:
        ModelSetError: If one cannot be read, or two have one name.
    """
    return tuple(_by_name(read_model_set(name) for name in expanded(names, models_dir)).values())


def expanded(names: Iterable[str], models_dir: Path) -> list[str]:
    """Return the names with the best that is there, and the built-in set, in place of `auto`; each once."""
    found: list[str] = []
    for name in names:
        found += [_best(models_dir), ALWAYS_THERE] if name == AUTO else [name]
    return list(dict.fromkeys(found))


def to_fetch(names: Iterable[str], models_dir: Path) -> list[ModelSet]:
    """Return the sets, of those named, that lack files which can be had.

    For `auto` that is the set for people, unless a better one is there.

    Raises:
        ModelSetError: If one cannot be read.
    """
    wanted: list[str] = []
    for name in names:
        if name != AUTO:
            wanted.append(name)
        elif FETCHED_BY_AUTO in model_set_names() and _best(models_dir) == ALWAYS_THERE:
            wanted.append(FETCHED_BY_AUTO)
    return [each for each in map(read_model_set, wanted) if each.lacks_what_can_be_fetched(models_dir)]


def _best(models_dir: Path) -> str:
    here = (name for name in BEST_FIRST if name in model_set_names())
    return next(name for name in here if not read_model_set(name).missing(models_dir))


def _by_name(sets: Iterable[ModelSet]) -> dict[str, ModelSet]:
    found: dict[str, ModelSet] = {}
    for each in sets:
        other = found.setdefault(each.name, each)
        if other.file != each.file:
            raise ModelSetError(
                f"two model sets are called {each.name}, {other.file} and {each.file}: rename one file"
            )
    return found
