"""Speakers set by a person: naming a voice, merging two, giving a line to somebody else.

What a person says holds against every later thought of the machine. Readers see it at once, and the worker of
a live session learns from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sessions_app.models import Overlap, Session, Utterance, Voice
from sessions_app.store import voices
from sessions_app.wire import layer_messages
from speakers import notify
from speakers.models import Speaker

WATCHED = timedelta(hours=12)
"""Pages of sessions that ended longer ago learn of changes when they are loaded again."""


def name_voice(voice: Voice, speaker: Speaker | None) -> Voice:
    """Make this voice that speaker's, or with None a stranger's; return the voice that its lines have then.

    If another voice of the session is that speaker already, the two are one.
    """
    with transaction.atomic():
        own = _own(voice)
        if speaker is not None:
            same = Voice.objects.filter(session=own.session_id, speaker=speaker, merged_into=None)
            if known := same.exclude(pk=own.pk).first():
                return merge_voices(known, own)
        own.speaker, own.is_named_by_person = speaker, True
        voices.give_number(own)
        own.save(update_fields=["speaker", "is_named_by_person", "number"])
        announce(own.session, voices.lines_with(Q(pk=own.pk)))
    return own


def merge_voices(kept: Voice, gone: Voice) -> Voice:
    """Make one of two voices of a session: all lines of `gone` become those of `kept`."""
    if kept.session_id != gone.session_id:
        raise ValueError(f"voices {kept.uuid} and {gone.uuid} belong to different sessions")
    with transaction.atomic():
        kept, gone = _own(kept), _own(gone)
        if kept.pk == gone.pk:
            return kept
        # Here a person speaks: lines given by hand to the one are given to the other.
        lines = voices.lines_with(Q(pk=gone.pk))
        gone.utterances.update(voice=kept)
        voices.merge_rows(kept, gone)
        announce(kept.session, lines)
    return kept


def separate_voice(gone: Voice, lines: Iterable[int], overlaps: Iterable[int] = ()) -> None:
    """Take a merge back: the voice is one of its own again, and has these lines, and speech during others."""
    with transaction.atomic():
        session = Session.objects.select_for_update().get(pk=gone.session_id)
        kept, gone.merged_into, gone.is_named_by_person = gone.merged_into, None, True
        gone.save(update_fields=["merged_into", "is_named_by_person"])
        if kept:
            voices.part(kept, gone)
        session.utterances.filter(pk__in=list(lines)).update(voice=gone, is_voice_locked=True)
        Overlap.objects.filter(pk__in=list(overlaps)).update(voice=gone)
        announce(session, voices.lines_with(Q(pk=gone.pk)))


def give_line(line: Utterance, voice: Voice, *, by: Any = None) -> None:
    """Give this line to that voice, whatever the machine thinks later."""
    if line.session_id != voice.session_id:
        raise ValueError(f"line {line.pk} and voice {voice.uuid} belong to different sessions")
    with transaction.atomic():
        line.voice, line.is_voice_locked, line.score = _own(voice), True, None
        line._history_user = by  # type: ignore[attr-defined]
        line.save(update_fields=["voice", "is_voice_locked", "score"])
        announce(line.session, [line.pk])


def voice_of(session: Session, speaker: Speaker | None) -> Voice:
    """Return the voice of a speaker in a session, made if need be; with None, one more stranger."""
    with transaction.atomic():
        if speaker is not None:
            known = Voice.objects.filter(session=session, speaker=speaker, merged_into=None).first()
            if known:
                return known
        voice = Voice(session=session, speaker=speaker, is_named_by_person=True)
        voices.give_number(voice)
        voice.save()
    return voice


def _own(voice: Voice) -> Voice:
    """Lock the row and return it as it is now; for a voice that was merged, that of the other."""
    # The session's row first, as commits do: so two writers wait for each other instead of deadlocking.
    Session.objects.select_for_update().get(pk=voice.session_id)
    row = Voice.objects.select_related("merged_into").get(pk=voice.pk)
    return row.merged_into or row


def announce(session: Session, lines: Iterable[int]) -> None:
    """Number lines that changed and, when this is committed, tell readers and worker; in a transaction."""
    voices.number_changes(session.pk, lines)
    key = session.key
    transaction.on_commit(lambda: _send(key))


def _send(key: str) -> None:
    notify.send(layer_messages.session_group(key), layer_messages.changed_message(key))
    notify.send(layer_messages.WORKERS, {"type": "session.corrected", "key": key})


class TranscriptFollower:
    """Lines and voices of sessions follow their speakers: see `speakers.followers`."""

    def renamed(self, speaker: Speaker) -> None:
        """Show the new name to the readers of recent sessions."""
        _tell_all(Q(speaker=speaker))

    def merged(self, kept: Speaker, gone: Speaker) -> None:
        """Make one of two voices in each session where both spoke, and name the others anew."""
        for voice in Voice.objects.filter(speaker=gone, merged_into=None).select_related("session"):
            known = Voice.objects.filter(session=voice.session_id, speaker=kept, merged_into=None).first()
            if known:
                voices.merge_rows(known, voice)
        Voice.objects.filter(speaker=gone).update(speaker=kept)
        for session in gone.expected_in.all():
            session.expected_speakers.add(kept)
        _tell_all(Q(speaker=kept))

    def forgotten(self, speaker: Speaker) -> None:
        """Let their lines go on as a stranger's; nothing says how they sounded or what their name was."""
        own = list(Voice.objects.filter(speaker=speaker))
        _forget_log([str(voice.pk) for voice in own])
        for voice in own:
            _make_stranger(voice)
        _tell_all(Q(pk__in=[voice.pk for voice in own]))


def _make_stranger(voice: Voice) -> None:
    voice.speaker, voice.is_named_by_person = None, False
    voice.sealed_mean, voice.speech_s = None, 0.0
    voices.give_number(voice)
    voice.save()


def _tell_all(changed: Q) -> None:
    """Tell the readers of recent sessions that such voices have changed."""
    watched = Session.objects.filter(Q(ended_at=None) | Q(ended_at__gt=timezone.now() - WATCHED))
    for session in watched.filter(voices__in=Voice.objects.filter(changed)).distinct():
        announce(session, voices.lines_with(changed & Q(session=session)))


def _forget_log(keys: list[str]) -> None:
    kind = ContentType.objects.get_for_model(Voice)
    LogEntry.objects.filter(content_type=kind, object_id__in=keys).delete()
