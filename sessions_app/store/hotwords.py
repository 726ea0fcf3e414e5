"""Hotwords of a session: its own, those of the installation, and the names of enrolled people."""

from __future__ import annotations

from recognition.hotwords import MAX_HOTWORDS, Hotword, Hotwords, normal, refusal, together
from sessions_app.models import CommonHotword, Session
from sessions_app.wire.hotword_lists import from_column
from speakers.models import Speaker


def of_session(session_pk: int) -> Hotwords | None:
    """Read the words that are listened for in a session now; None if there are none."""
    own = Session.objects.filter(pk=session_pk).values_list("hotwords", flat=True).first() or []
    words = together(from_column(own), common(), names())
    return Hotwords(words) if words else None


def common() -> list[Hotword]:
    """Read the words of the installation."""
    rows = CommonHotword.objects.values_list("text", "weight")[:MAX_HOTWORDS]
    return [Hotword(text, weight) for text, weight in rows]


def names() -> list[Hotword]:
    """Read the names of enrolled people, the newest first, as far as they can be hotwords."""
    known = Speaker.objects.order_by("-pk").values_list("name", flat=True)[:MAX_HOTWORDS]
    return [Hotword(name) for name in map(normal, known) if refusal(name) is None]
