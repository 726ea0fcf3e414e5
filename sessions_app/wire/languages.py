"""Languages as clients name them: tags as "zh-Hant-TW", and words as "Chinese" or "auto". Pure."""

from __future__ import annotations

import re

from recognition.scripts import SCRIPTS, TRADITIONAL
from sessions_app.exceptions import SessionsError


class BadLanguage(SessionsError):
    """A text that names no language."""


class BadScript(SessionsError):
    """A text that names no script."""


_TAG = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8}){0,3})", re.ASCII)
_TRADITIONAL_PLACES = ("hant", "tw", "hk", "mo")

_NAMES = {
    "cmn": "zh", "chinese": "zh", "mandarin": "zh", "中文": "zh", "普通话": "zh", "英文": "en",
    "english": "en", "japanese": "ja", "日文": "ja", "korean": "ko", "韩文": "ko",
    "cantonese": "yue", "粤语": "yue",
}  # fmt: skip

_ANY = ("", "auto", "multi", "multilingual", "nospeech", "自动")
"""Words of clients that leave it open."""


def code(named: str) -> str | None:
    """Return the code of a language, as "zh"; empty if it is to be found out, None if this names none."""
    name = named.strip().lower()
    if name in _ANY:
        return ""
    if name in _NAMES:
        return _NAMES[name]
    tag = _TAG.fullmatch(name)
    return _NAMES.get(tag[1], tag[1]) if tag else None


def script(named: str) -> str:
    """Return the script that the tag of a language asks for: zh-TW is written in traditional characters."""
    parts = re.split("[-_]", named.strip().lower())
    is_traditional = parts[0] in ("zh", "cmn") and any(part in _TRADITIONAL_PLACES for part in parts[1:])
    return TRADITIONAL if is_traditional and "hans" not in parts else ""


def checked(named: str) -> str:
    """Return the code of a language; empty if it is to be found out.

    Raises:
        BadLanguage: If this names none.
    """
    found = code(named)
    if found is None:
        raise BadLanguage(f"language={named[:40]!r} names no language: use a code as zh or en, or auto")
    return found


def checked_script(named: str, language: str) -> str:
    """Return the script that is asked for, in so many words or by the tag of a language.

    Raises:
        BadScript: If there is no such script.
    """
    if named not in ("", *SCRIPTS):
        raise BadScript(f"script={named[:40]!r} is neither {' nor '.join(SCRIPTS)}")
    return named or script(language)
