"""Fields of other clients' messages, read without trust: one of another type is as good as none. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from recognition.hotwords import Hotword

from . import languages
from .protocol import MAX_TITLE_LENGTH, JoinRequest, Mode
from .untrusted import one_line, read_json

Fields = Mapping[str, Any]
Pairs = Sequence[tuple[str, str]]

OTHERS_MODELS = re.compile(
    r"(whisper|gpt|fun-?asr|paraformer|sensevoice|gummy|qwen|default|nova|enhanced|base|flux|general"
    r"|meeting|phonecall|finance|conversationalai|voicemail|video|custom)([-_.:/].*)?",
    re.IGNORECASE,
)
"""Names of other services' models, which their clients send whatever they speak to."""


def read_fields(text: str | None) -> dict[str, Any] | None:
    """Return the fields of an object in JSON; None if the text is none."""
    try:
        found = read_json(text or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def text_of(fields: Fields, name: str, default: str = "") -> str:
    found = fields.get(name)
    return found if isinstance(found, str) else default


def flag_of(fields: Fields, name: str, *, default: bool = False) -> bool:
    found = fields.get(name)
    return found if isinstance(found, bool) else default


def choice_of(fields: Fields, name: str, default: bool | None = None) -> bool | None:
    """Return a flag that may be left open."""
    found = fields.get(name)
    return found if isinstance(found, bool) else default


def number_of(fields: Fields, name: str, default: int) -> int:
    """Return a whole number, also if it is written as a text, or with a fraction of zero."""
    found = fields.get(name)
    if isinstance(found, str) and re.fullmatch(r"\d{1,9}", found, re.ASCII):
        return int(found)
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def fields_of(fields: Fields, *path: str) -> dict[str, Any]:
    """Return an object inside the others; an empty one if it is not there."""
    for name in path:
        inner = fields.get(name)
        fields = inner if isinstance(inner, dict) else {}
    return dict(fields)


def query_fields(query: str) -> dict[str, str]:
    """Return the parameters of an address, the last of each name."""
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}


def any_bearer(headers: Mapping[str, str]) -> str:
    """Return the token of the header `Authorization`, as all clients write it.

    Some put a semicolon behind the scheme; "none" is what is sent for no token.
    """
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower().rstrip(";") not in ("bearer", "token"):
        return ""
    return "" if secret.strip().lower() == "none" else secret.strip()


def sender_request(
    *,
    token: str,
    title: str = "",
    model: str = "",
    itn: bool | None = None,
    language: str = "",
    rules: Pairs = (),
    hotwords: Sequence[Hotword] = (),
) -> JoinRequest:
    """Return the request of a client that begins a session without a name of its own."""
    return JoinRequest(
        "",
        Mode.SENDER,
        version=2,
        token=token,
        title=one_line(title)[:MAX_TITLE_LENGTH],
        models=model,
        itn=itn,
        script=languages.script(language),
        language=languages.code(language) or "",
        rules=tuple(rules),
        hotwords=tuple(hotwords),
        may_leave_out=bool(hotwords or language),
        may_substitute=bool(OTHERS_MODELS.fullmatch(model)),
    )
