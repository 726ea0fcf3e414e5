"""Names and messages on the channel layer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from channels.exceptions import ChannelFull
from redis.exceptions import RedisError

from speakers import notify

from .protocol import ClosedBy, Line, OverlapRef, PartialLine, Rewrite, SessionEnd, SpeakerRef

WORKERS = notify.WORKERS

RIGHTS = "rights"
"""The group of all processes with sockets, who are told when somebody may have lost a right."""

Sent = TypeVar("Sent", Line, SpeakerRef, OverlapRef, Rewrite, PartialLine, SessionEnd)

RIGHTS_CHANGED = "rights.changed"

_LISTS = ("overlaps", "changes")
"""Fields of a line that are lists of others."""

LAYER_ERRORS = (ChannelFull, OSError, RedisError, AttributeError)
"""What a channel layer raises when it cannot pass a message on; the database makes up for it.

AttributeError comes from redis-py, when another task loses a connection that one is about to write to.
"""


def session_group(key: str) -> str:
    """Return the group of all who follow a session; channel layers take only ASCII, ids may be Chinese."""
    return f"session-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def commit_message(
    key: str,
    lines: Sequence[Line],
    *,
    received: int,
    durable: int,
    last_seq: int = 0,
    heard_at: Sequence[float | None] = (),
) -> dict[str, Any]:
    """Return the finals, if there are any, and the progress of the session.

    Args:
        heard_at: When the end of each line's audio was read, in seconds of the wall clock.
    """
    return {
        "type": "session.commit",
        "key": key,
        "lines": [_line(line) for line in lines],
        "received": received,
        "durable": durable,
        "last_seq": last_seq,
        "heard_at": list(heard_at),
    }


def _line(line: Line) -> dict[str, Any]:
    """Return the fields of a line; who wants the times of its words asks the database."""
    fields = asdict(line) | {name: [asdict(each) for each in getattr(line, name)] for name in _LISTS}
    del fields["words"]
    return fields


def partial_message(key: str, partial: PartialLine, *, heard_at: float | None = None) -> dict[str, Any]:
    """Return the text of the open utterance, and when the end of its audio was read."""
    return {"type": "session.partial", "key": key, "partial": asdict(partial), "heard_at": heard_at}


def changed_message(key: str) -> dict[str, Any]:
    """Return the hint that something changed which only the database knows: a state, an edit."""
    return {"type": "session.changed", "key": key}


def rights_message(key: str, user: int | None) -> dict[str, Any]:
    """Return the hint that rights have changed: in one session or in all (""), of one login or of all."""
    return {"type": RIGHTS_CHANGED, "key": key, "user": user}


def end_message(key: str, end: SessionEnd) -> dict[str, Any]:
    return {"type": "session.end", "key": key, "end": asdict(end)}


def lines_from(message: dict[str, Any]) -> list[Line]:
    """Return the finals of a commit.

    Raises:
        TypeError, KeyError, ValueError: If a process of another version sent it, whose lines have other
            fields than ours; so do the functions below. The database knows what is missing.
    """
    return [_line_from(sent) for sent in message["lines"]]


def _line_from(sent: dict[str, Any]) -> Line:
    spoken = _decode(SpeakerRef, sent["spoken"])
    overlaps = tuple(_decode(OverlapRef, overlap) for overlap in sent["overlaps"])
    changes = tuple(_decode(Rewrite, change) for change in sent["changes"])
    return _decode(Line, sent | {"spoken": spoken, "overlaps": overlaps, "changes": changes, "words": ()})


def partial_from(message: dict[str, Any]) -> PartialLine:
    return _decode(PartialLine, message["partial"])


def end_from(message: dict[str, Any]) -> SessionEnd:
    end = _decode(SessionEnd, message["end"])
    return replace(end, closed_by=ClosedBy(end.closed_by))


def _decode(kind: type[Sent], sent: dict[str, Any]) -> Sent:
    """Return what `asdict` took to pieces; a default stands in for nothing that was not sent."""
    if strange := sent.keys() ^ {field.name for field in fields(kind)}:
        raise TypeError(f"{kind.__name__} has other fields here: {', '.join(sorted(strange))}")
    return kind(**sent)
