"""The outbox of webhooks: what is to be told, noted in the transaction of what it tells of.

A row names what happened, not what was said: that is read when it is sent. So nothing that is forgotten lies
here, and a commit reads no more for it than which webhooks there are.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence

from sessions_app.models import Delivery, Upload, Webhook


class Event(enum.StrEnum):
    """Things that webhooks can be told."""

    SESSION_BEGUN = "session.begun"
    LINE_FINAL = "line.final"
    LINE_REVISED = "line.revised"
    SESSION_ENDED = "session.ended"
    UPLOAD_DONE = "upload.done"
    MINUTES_READY = "minutes.ready"
    TEST = "test"
    """Asked for by a person, of one webhook alone."""


def tell(event: Event, session_pk: int) -> None:
    """Note an event of a session, for every webhook that wants it; in the transaction that makes it so."""
    _note(event, [{"session_id": session_pk}])


def tell_lines(event: Event, session_pk: int, lines: Iterable[tuple[int, int]]) -> None:
    """Note an event of some lines, as (primary key, revision), in their order; in a transaction."""
    rows = [{"session_id": session_pk, "line_id": line, "revision": revision} for line, revision in lines]
    _note(event, rows)


def tell_upload(upload: Upload) -> None:
    """Note that a worker is through with a file, whatever became of it; in a transaction."""
    _note(Event.UPLOAD_DONE, [{"session_id": upload.session_id, "upload_id": upload.pk}])


def _note(event: Event, rows: Sequence[Mapping[str, int | None]]) -> None:
    active = Webhook.objects.filter(is_active=True).order_by("pk").values_list("pk", "events")
    told = [webhook for webhook, events in active if event in events]
    Delivery.objects.bulk_create(
        Delivery(webhook_id=webhook, event=event, **row) for webhook in told for row in rows
    )
