"""Messages of webhooks: what is said of an event, read when it is sent."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils.translation import override

from recognition.audio import milliseconds
from sessions_app.minutes import reading
from sessions_app.models import Delivery, Session, Upload, Utterance
from sessions_app.store.outbox import Event
from sessions_app.store.queries import with_voices
from sessions_app.transcripts.line_objects import line_object
from sessions_app.uploads import reasons


def body_of(delivery: Delivery) -> bytes:
    """Return the JSON text of a message; names of strangers are in the server's language."""
    with override(settings.LANGUAGE_CODE):
        data = _data(delivery)
    message = {"type": delivery.event, "timestamp": delivery.created_at.isoformat(), "data": data}
    return json.dumps(message, ensure_ascii=False).encode()


def _data(delivery: Delivery) -> dict[str, Any]:
    told: dict[str, Any] = {}
    session = Session.objects.get(pk=delivery.session_id) if delivery.session_id else None
    if session:
        told["session"] = _session(session)
    if delivery.line_id:
        told |= _line(delivery.line_id)
    if delivery.event == Event.UPLOAD_DONE:
        told["upload"] = _upload(delivery.upload) if delivery.upload else None
    if delivery.event == Event.MINUTES_READY and session:
        found = reading.read(session)
        told["minutes"] = reading.as_object(found) if found else None
    return told


def _line(pk: int) -> dict[str, Any]:
    line = with_voices(Utterance.objects.filter(pk=pk)).get()
    told = {name: value for name, value in line_object(line).items() if name != "words"}
    return {"line": told, "removed": line.is_removed}


def _upload(upload: Upload) -> dict[str, Any]:
    return {
        "id": str(upload.key),
        "name": upload.name,
        "size": upload.size,
        "state": upload.state,
        "error": reasons.in_words(upload.error),
        "duration_ms": milliseconds(upload.samples),
        "created_at": upload.created_at.isoformat(),
        "finished_at": upload.finished_at.isoformat() if upload.finished_at else None,
    }


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
