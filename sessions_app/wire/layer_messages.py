"""Names and messages on the channel layer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from channels.exceptions import ChannelFull
from redis.exceptions import RedisError

from speakers import notify

from .protocol import Line, PartialLine, SessionEnd, SpeakerRef

WORKERS = notify.WORKERS

LAYER_ERRORS = (ChannelFull, OSError, RedisError)
"""What a channel layer raises when it cannot pass a message on; the database makes up for it."""


def session_group(key: str) -> str:
    """The group of everyone who follows a session; channel layers take only ASCII, ids may be Chinese."""
    return f"session-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def commit_message(
    key: str, lines: Sequence[Line], *, received: int, durable: int, heard_at: Sequence[float | None] = ()
) -> dict[str, Any]:
    """Finals, if there are any, and how far the session has come.

    Args:
        heard_at: When the end of each line's audio was read, in seconds of the wall clock.
    """
    return {
        "type": "session.commit",
        "key": key,
        "lines": [asdict(line) for line in lines],
        "received": received,
        "durable": durable,
        "heard_at": list(heard_at),
    }


def partial_message(key: str, partial: PartialLine, *, heard_at: float | None = None) -> dict[str, Any]:
    """Return the text of the open utterance, and when the end of its audio was read."""
    return {"type": "session.partial", "key": key, "partial": asdict(partial), "heard_at": heard_at}


def changed_message(key: str) -> dict[str, Any]:
    """Something changed that only the database knows: a state, an edit."""
    return {"type": "session.changed", "key": key}


def end_message(key: str, end: SessionEnd) -> dict[str, Any]:
    return {"type": "session.end", "key": key, "end": asdict(end)}


def lines_from(message: dict[str, Any]) -> list[Line]:
    return [Line(**fields | {"spoken": SpeakerRef(**fields["spoken"])}) for fields in message["lines"]]


def partial_from(message: dict[str, Any]) -> PartialLine:
    return PartialLine(**message["partial"])


def end_from(message: dict[str, Any]) -> SessionEnd:
    return SessionEnd(**message["end"])
