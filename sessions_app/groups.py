"""Names and messages on the channel layer."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from channels.exceptions import ChannelFull
from redis.exceptions import RedisError

from speakers import nudges

from .protocol import Line, PartialLine, SessionEnd, Spoken

WORKERS = nudges.WORKERS

LAYER_ERRORS = (ChannelFull, OSError, RedisError)
"""What a channel layer raises when it cannot pass a message on; the database makes up for it."""


def session_group(key: str) -> str:
    """The group of everyone who follows a session; channel layers take only ASCII, ids may be Chinese."""
    return f"session-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def line_message(key: str, line: Line) -> dict[str, Any]:
    return {"type": "room.line", "key": key, "line": asdict(line)}


def partial_message(key: str, partial: PartialLine) -> dict[str, Any]:
    return {"type": "room.partial", "key": key, "partial": asdict(partial)}


def progress_message(key: str, *, received: int, durable: int) -> dict[str, Any]:
    return {"type": "room.progress", "key": key, "received": received, "durable": durable}


def changed_message(key: str) -> dict[str, Any]:
    """Something changed that only the database knows: a state, an edit."""
    return {"type": "room.changed", "key": key}


def end_message(key: str, end: SessionEnd) -> dict[str, Any]:
    return {"type": "room.end", "key": key, "end": asdict(end)}


def line_from(message: dict[str, Any]) -> Line:
    fields = message["line"]
    return Line(**fields | {"spoken": Spoken(**fields["spoken"])})


def partial_from(message: dict[str, Any]) -> PartialLine:
    return PartialLine(**message["partial"])


def end_from(message: dict[str, Any]) -> SessionEnd:
    return SessionEnd(**message["end"])
