"""Answers of the sessions' API, made of rows of the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from django.db.models import Count, F, Q, Sum

from recognition.audio import milliseconds
from sessions_app.access.decision import Right
from sessions_app.catalogue import listing
from sessions_app.catalogue.listing import Row
from sessions_app.models import Session, Utterance, Voice
from sessions_app.transcripts import word_times
from sessions_app.transcripts.line_objects import line_object


def row(found: Row) -> dict[str, Any]:
    """Return a meeting as a list has it."""
    session = found.session
    return {
        "id": session.key,
        "name": str(session),
        "state": session.state,
        "started_at": session.created_at,
        "ended_at": session.ended_at,
        "duration_ms": milliseconds(session.durable),
        "owner": session.owner.get_username() if session.owner else "",
        "folder": session.folder.name if session.folder else "",
        "tags": list(found.tags),
        "speakers": [person.name for person in found.people],
        "more_speakers": found.more_people,
    }


def session(one: Session, rights: Iterable[Right]) -> dict[str, Any]:
    """Return all that is told of a meeting but its lines."""
    own = Session.objects.filter(pk=one.pk).select_related("owner", "continues")
    [found] = listing.read_page(own, before=None, size=1).rows
    read: Any = found.session
    return row(found) | {
        "title": read.title,
        "closed_by": read.closed_by,
        "model_set": read.model_set,
        "seq": read.last_seq,
        "revision": read.last_revision,
        "continues": read.continues.key if read.continues and not read.continues.trashed_at else None,
        "rights": sorted(right.name.lower() for right in rights),
        "socket": f"/ws/asr/{quote(read.key, safe='')}",
    }


def lines(utterances: list[Utterance], *, has_words: bool) -> list[dict[str, Any]]:
    """Return lines as they read, which should be read `with_voices`."""
    words = word_times.of_lines(line.pk for line in utterances) if has_words else {}
    return [line_object(utterance, words.get(utterance.pk)) for utterance in utterances]


def voices(one: Session) -> list[dict[str, Any]]:
    """Return who speaks in a meeting, in the order in which they came."""
    said = Q(utterances__is_removed=False)
    spoken = Sum(F("utterances__end") - F("utterances__start"), filter=said)
    own = Voice.objects.filter(session=one, merged_into=None).select_related("speaker").order_by("pk")
    return [
        {
            "speaker_id": voice.public_id,
            "name": voice.name,
            "number": None if voice.speaker_id else voice.number,
            "enrolled": voice.speaker_id is not None,
            "lines": voice.said,
            "speech_ms": milliseconds(voice.spoken or 0),
        }
        for voice in own.annotate(said=Count("utterances", filter=said), spoken=spoken)
    ]


def found_line(line: Utterance) -> dict[str, Any]:
    """Return a line that a search found."""
    return {
        "session": line.session.key,
        "session_name": str(line.session),
        "line": line.pk,
        "start_ms": milliseconds(line.start),
        "speaker": line.voice.name if line.voice else "",
        "text": line.text,
    }
