"""The model sets that this installation serves, and the one that new sessions get."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext as _

from recognition.model_sets import selection
from recognition.model_sets.measured import MEASURED
from recognition.model_sets.reading import ModelSet

from .models import DefaultModels

TITLES = [
    gettext_noop("Embedded models"),
    gettext_noop("Fun-ASR-Nano, three languages"),
    gettext_noop("Paraformer, Mandarin"),
    gettext_noop("SenseVoice, five languages"),
    gettext_noop("Whisper, multilingual"),
]
"""Of the sets that come with the product, for `make translations`."""

_LANGUAGES = {
    "zh": gettext_noop("Mandarin"),
    "yue": gettext_noop("Cantonese"),
    "en": gettext_noop("English"),
    "ja": gettext_noop("Japanese"),
    "ko": gettext_noop("Korean"),
}


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


def languages(name: str) -> tuple[str, ...]:
    """Return the codes of the languages that a served set knows, as "zh"; none if it does not say."""
    source = next((each.sources.get("offline") for each in served() if each.name == name), None)
    spoken = source.options.spoken() if source else ()
    return spoken or (MEASURED[name].languages if name in MEASURED else ())


def language_refusal(language: str, name: str) -> str:
    """Say why a set cannot hear a language; empty if it can."""
    known = languages(name)
    if language in known:
        return ""
    told = _("The models %(set)s do not know the language %(language)s. They know: %(known)s.")
    all_known = ", ".join(known) or _("one language")
    return told % {"set": name, "language": language[:10], "known": all_known}


def language_name(code: str) -> str:
    """Return the name of a language in the reader's language; its code where there is none."""
    if code in _LANGUAGES:
        return gettext(_LANGUAGES[code])
    return gettext(LANG_INFO[code]["name"]) if "name" in LANG_INFO.get(code, {}) else code


def language_choices() -> list[tuple[str, str, str]]:
    """Return code and name of each language that a set with several knows, and the names of those sets."""
    several = {name: known for name in names() if len(known := languages(name)) > 1}
    codes = dict.fromkeys(code for known in several.values() for code in known)
    return [
        (code, language_name(code), " ".join(name for name, known in several.items() if code in known))
        for code in codes
    ]


def are_small_ones_alone() -> bool:
    """Return whether there is nothing but the built-in set, which does not recognise people."""
    return [each.reference for each in served()] == [selection.ALWAYS_THERE]
