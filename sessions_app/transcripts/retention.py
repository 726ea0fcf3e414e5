"""Deletion of sessions, and of their recordings, for good: by hand, and by age.

What is deleted is gone: rows, every version of every line, what the admin's log quotes of them, links,
tags and folders that nothing else has, files.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import log
from audit.models import Action
from sessions_app.exceptions import SessionsError
from sessions_app.models import AccessToken, Folder, Session, Tag, Utterance, Voice
from sessions_app.recordings import files, peaks
from sessions_app.recordings.object_storage import StorageAway
from speakers import secure_erase
from speakers.exceptions import InUse

from . import search

logger = logging.getLogger(__name__)


class StillLive(SessionsError):
    """An attempt to delete a session that goes on: its worker would write to it."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """Counts of what was deleted, or would be."""

    sessions: int = 0
    recordings: int = 0
    tokens: int = 0
    files: int = 0
    """Files of sessions that are no more; a crash may leave some."""

    entries: int = 0
    """Of the audit log."""


def delete_session(session: Session) -> None:
    """Delete a session and all there is of it.

    Raises:
        StillLive: If it has not ended.
    """
    delete_sessions([session])


def delete_sessions(sessions: Iterable[Session]) -> None:
    """Delete several in the same way; those before one that has not ended are gone."""
    for session in sessions:
        _delete_rows_and_files(session)
    drop_unused_labels()
    transaction.on_commit(_wipe_traces)  # the admin deletes within a transaction of its own


def drop_unused_labels() -> None:
    """Forget tags and folders that no session has."""
    Tag.objects.filter(sessions=None).delete()
    Folder.objects.filter(sessions=None).delete()


def _delete_rows_and_files(session: Session) -> None:
    with transaction.atomic():
        row = Session.objects.select_for_update().filter(pk=session.pk).first()
        if row is None:
            return  # somebody else has deleted it
        session = row
        if not session.has_ended:
            raise StillLive
        log.record(Action.MEETING_DELETED, meeting=session.key)
        tokens = AccessToken.objects.filter(session_key=session.key)
        for rows in (session.utterances.all(), session.voices.all(), tokens):
            _forget_log(rows)
        _forget_log(Session.objects.filter(pk=session.pk))
        tokens.delete()
        pk = session.pk
        session.delete()
        # Last: deleting a line makes one more version of it.
        Utterance.history.filter(session_id=pk).delete()
        transaction.on_commit(lambda: _delete_files(pk))


def _wipe_traces() -> None:
    """Let no deleted text survive in the files of the database."""
    search.wipe_traces()
    if connection.vendor == "sqlite":
        try:
            secure_erase.truncate_log()
        except InUse:
            secure_erase.schedule()


def delete_recording(session: Session) -> None:
    """Delete what was heard; what was written stays."""
    log.record(Action.RECORDING_DELETED, meeting=session.key)
    _delete_files(session.pk)


def prune(
    *, sessions_days: float, recordings_days: float, audit_days: float = 0, is_rehearsal: bool = False
) -> Pruned:
    """Delete what is older than the rules allow; 0 days keep for ever.

    Args:
        is_rehearsal: Only count.
    """
    old_sessions = _ended_before(sessions_days)
    old_recordings = [s for s in _ended_before(recordings_days) if files.length(s.pk)]
    over = AccessToken.objects.filter(expires_at__lt=timezone.now())
    strays = list(_strays())
    entries = log.prune(audit_days, is_rehearsal=is_rehearsal)
    pruned = Pruned(len(old_sessions), len(old_recordings), over.count(), len(strays), entries)
    if is_rehearsal:
        return pruned
    for session in old_recordings:
        delete_recording(session)
    if old_sessions:
        delete_sessions(old_sessions)
    over.delete()
    for path in strays:
        files.remove(path)
    return pruned


def _ended_before(days: float) -> list[Session]:
    if not days:
        return []
    limit = timezone.now() - timedelta(days=days)
    return list(Session.objects.filter(state=Session.State.ENDED, ended_at__lt=limit, is_kept=False))


def _strays() -> Iterator[Path]:
    """Find recordings, and what belongs to them, whose session is gone."""
    folder = Path(settings.MEDIA_ROOT) / "recordings"
    paths = list(folder.glob("*")) if folder.is_dir() else []
    keys = {path: key for path in paths if (key := files.session_of(path)) is not None}
    known = set(Session.objects.filter(pk__in=set(keys.values())).values_list("pk", flat=True))
    yield from (path for path, key in keys.items() if key not in known)


def _forget_log(
    rows: QuerySet[Session] | QuerySet[Utterance] | QuerySet[Voice] | QuerySet[AccessToken],
) -> None:
    """Delete from the admin's log what rows were called."""
    model: type[models.Model] = rows.model
    kind = ContentType.objects.get_for_model(model)
    log = LogEntry.objects.filter(content_type=kind)
    if log.exists():
        log.filter(object_id__in=[str(pk) for pk in rows.values_list("pk", flat=True)]).delete()


def _delete_files(session_pk: int) -> None:
    try:
        files.delete(session_pk)
    except StorageAway as error:
        logger.error("a recording is still stored, until `manage.py prune` finds it: %s", error)
    peaks.delete(session_pk)
