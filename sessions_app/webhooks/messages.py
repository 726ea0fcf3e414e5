"""Messages of webhooks: what is said of an event, read when it is sent."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils.translation import override

from recognition.audio import milliseconds
from sessions_app.models import Delivery, Session, Utterance
from sessions_app.store.queries import with_voices
from sessions_app.transcripts.line_objects import line_object


def body_of(delivery: Delivery) -> bytes:
    """Return the JSON text of a message; names of strangers are in the server's language."""
    with override(settings.LANGUAGE_CODE):
        data = _data(delivery)
    message = {"type": delivery.event, "timestamp": delivery.created_at.isoformat(), "data": data}
    return json.dumps(message, ensure_ascii=False).encode()


def _data(delivery: Delivery) -> dict[str, Any]:
    if delivery.session_id is None:
        return {}
    told: dict[str, Any] = {"session": _session(Session.objects.get(pk=delivery.session_id))}
    if delivery.line_id is None:
        return told
    line = with_voices(Utterance.objects.filter(pk=delivery.line_id)).get()
    told["line"] = {name: value for name, value in line_object(line).items() if name != "words"}
    return told | {"removed": line.is_removed}


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.key,
        "name": str(session),
        "state": session.state,
        "started_at": session.created_at.isoformat(),
        "ended_at": session.ended_at.isoformat() if session.ended_at else None,
        "duration_ms": milliseconds(session.durable),
        "closed_by": session.closed_by,
        "seq": session.last_seq,
        "revision": session.last_revision,
    }
