"""Hotwords that the models of a set cannot write: named before anybody speaks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from recognition.hotwords import Hotword
from recognition.model_options import Spells

from . import model_sets

_SHOWN = 5


def lacking(set_name: str, words: Iterable[Hotword]) -> dict[str, list[str]]:
    """Return the words that a set cannot write, each with the parts that are lacking."""
    spelling = _spelling(set_name, Path(settings.MODELS_DIR))
    if spelling is None:
        return {}
    parts = {word.text: spelling.lacking(word.text) for word in words}
    return {word: found for word, found in parts.items() if found}


def refusal(set_name: str, words: Iterable[Hotword]) -> str:
    """Say which words a set cannot write, and what they lack; empty if it can write all."""
    found = lacking(set_name, words)
    if not found:
        return ""
    named = "; ".join(f"{word} ({' '.join(parts)})" for word, parts in list(found.items())[:_SHOWN])
    told = _("These models cannot write some hotwords: %(words)s. Leave them out, or choose other models.")
    return told % {"words": named}


@lru_cache(maxsize=8)
def _spelling(set_name: str, models_dir: Path) -> Spells | None:
    for each in model_sets.served():
        source = each.sources.get("offline") if each.name == set_name else None
        directory = source.directory(models_dir) if source else None
        if source and directory:
            return source.options.spelling(directory)
    return None
