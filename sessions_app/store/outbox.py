"""The outbox of webhooks: what is to be told, noted in the transaction of what it tells of.

A row names what happened, not what was said: that is read when it is sent. So nothing that is forgotten lies
here, and a commit reads no more for it than which webhooks there are.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from sessions_app.models import Delivery, Webhook


class Event(enum.StrEnum):
    """Things that webhooks can be told."""

    SESSION_BEGUN = "session.begun"
    LINE_FINAL = "line.final"
    LINE_REVISED = "line.revised"
    SESSION_ENDED = "session.ended"
    TEST = "test"
    """Asked for by a person, of one webhook alone."""


def tell(event: Event, session_pk: int) -> None:
    """Note an event of a session, for every webhook that wants it; in the transaction that makes it so."""
    _note(event, session_pk, [(None, None)])


def tell_lines(event: Event, session_pk: int, lines: Iterable[tuple[int, int]]) -> None:
    """Note an event of some lines, as (primary key, revision), in their order; in a transaction."""
    _note(event, session_pk, list(lines))


def _note(event: Event, session_pk: int, rows: list[tuple[int | None, int | None]]) -> None:
    active = Webhook.objects.filter(is_active=True).order_by("pk").values_list("pk", "events")
    told = [webhook for webhook, events in active if event in events]
    Delivery.objects.bulk_create(
        Delivery(webhook_id=webhook, event=event, session_id=session_pk, line_id=line, revision=revision)
        for webhook in told
        for line, revision in rows
    )
