"""Uploads in the database and on the disk: begun, grown, queued, claimed by a worker, done with."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from recognition.audio import samples
from sessions_app import model_sets
from sessions_app.access import resuming
from sessions_app.models import UNFINISHED_UPLOADS, AccessToken, Session, Upload
from sessions_app.store import commits, outbox
from sessions_app.wire.hotword_lists import as_column, from_column
from speakers import notify

from . import queue
from .file_log import Facts
from .queue import Waiting
from .tus import Announcement, UploadError

logger = logging.getLogger(__name__)

State = Upload.State

LEASE = timedelta(seconds=10)

ABANDONED = timedelta(hours=24)
"""For so long the rest of a file is waited for."""

REMEMBERED = timedelta(days=7)
"""For so long a page tells what became of a file."""


def path_of(upload: Upload) -> Path:
    """Return the place of a file while it is not transcribed."""
    return folder() / str(upload.key)


def folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "uploads"


def begin(asked: Announcement, *, owner: User | None, token: AccessToken | None) -> Upload:
    """Take a file that is going to come.

    Raises:
        UploadError: If there is no room for it, or what it is to become is not possible.
    """
    others = Upload.objects.filter(owner=owner, token=token, state__in=UNFINISHED_UPLOADS)
    if others.count() >= queue.MAX_UNFINISHED:
        raise UploadError(
            429, f"{queue.MAX_UNFINISHED} files are waiting already: send more when some are done"
        )
    _check_room(asked.size)
    continues = resuming.key_of(asked.continues) if asked.continues else ""
    upload = Upload.objects.create(
        name=asked.name,
        size=asked.size,
        owner=owner,
        token=token,
        session_key=asked.session_key or f"file-{uuid.uuid4().hex[:12]}",
        title=asked.title or queue.title_of(asked.name),
        model_set=asked.models or model_sets.default_name(),
        expected=list(asked.expected),
        hotwords=as_column(asked.hotwords),
        script=asked.script,
        language=asked.language,
        itn=asked.itn,
        translate=asked.translate,
        continues=continues,
        recorded_at=asked.changed_at,
    )
    folder().mkdir(parents=True, exist_ok=True, mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS)
    os.close(os.open(path_of(upload), os.O_WRONLY | os.O_CREAT, settings.FILE_UPLOAD_PERMISSIONS))
    return upload


def _check_room(size: int) -> None:
    limit = settings.MAX_UPLOAD_MB * 2**20
    if size > limit:
        raise UploadError(413, f"a file may have {settings.MAX_UPLOAD_MB} MB at most")
    sums = Upload.objects.filter(state=State.RECEIVING).aggregate(size=Sum("size"), here=Sum("received"))
    coming = (sums["size"] or 0) - (sums["here"] or 0)
    if not queue.fits(size, free=shutil.disk_usage(settings.DATA_DIR).free, coming=coming):
        raise UploadError(507, "the server's disk has no room for this file")


def append(upload: Upload, offset: int, data: bytes) -> Upload:
    """Add a piece; with the last one the file waits for a worker.

    Who sends the same piece twice, or two at a time, does no harm: a byte has its place.

    Raises:
        UploadError: If the piece is of another place, or too long.
    """
    if upload.state != State.RECEIVING or offset != upload.received:
        raise UploadError(409, f"the file goes on at byte {upload.received}")
    end = offset + len(data)
    if end > upload.size:
        raise UploadError(400, f"the file was to have {upload.size} bytes, and these are more")
    _write(path_of(upload), offset, data)
    now = timezone.now()
    state = State.WAITING if end == upload.size else State.RECEIVING
    with transaction.atomic():
        own = Upload.objects.filter(pk=upload.pk, state=State.RECEIVING, received=offset)
        if not own.update(received=end, state=state, changed_at=now):
            raise UploadError(409, "another piece has come meanwhile: ask where to go on")
        if state == State.WAITING:
            transaction.on_commit(notify.notify_workers)
    upload.refresh_from_db()
    return upload


def _write(path: Path, offset: int, data: bytes) -> None:
    try:
        file = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        raise UploadError(410, "what was sent of this file is gone: begin anew") from None
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(file, view, offset)
            view, offset = view[written:], offset + written
        os.fdatasync(file)
    finally:
        os.close(file)


def cancel(upload: Upload) -> Upload:
    """Want no more of a file; what was transcribed of it stays. Of one that is over, forget it."""
    unfinished = Upload.objects.filter(pk=upload.pk, state__in=UNFINISHED_UPLOADS)
    if not unfinished.update(state=State.CANCELLED, finished_at=timezone.now()):
        Upload.objects.filter(pk=upload.pk, session__state=Session.State.ENDED).delete()
        Upload.objects.filter(pk=upload.pk, session=None).delete()
        return upload
    upload.refresh_from_db()
    if not upload.lease_until:
        path_of(upload).unlink(missing_ok=True)
    return upload


# Of workers.


def claim(worker: str, sets: Sequence[str]) -> Upload | None:
    """Take the file whose turn it is, of those that our models can do; any number may ask at once."""
    now = timezone.now()
    free = _free(sets)
    rows = list(Upload.objects.filter(free).order_by("created_at", "pk").values_list("pk", "owner", "token"))
    if not rows:
        return None
    at_work = Upload.objects.filter(state=State.RUNNING, lease_until__gt=now).values_list("owner", "token")
    waiting = [Waiting(pk, f"{owner} {token}") for pk, owner, token in rows]
    for pk in queue.in_turn(waiting, [f"{owner} {token}" for owner, token in at_work]):
        upload = Upload.objects.select_related("session").get(pk=pk)
        if taken := _take(upload, free, worker):
            return taken
    return None


def _free(sets: Sequence[str]) -> Q:
    """Select what nobody has; also what was called off while its worker was gone: its session must end."""
    now = timezone.now()
    without_worker = Q(lease_until=None) | Q(lease_until__lt=now)
    called_off = Q(state=State.CANCELLED, session__isnull=False) & ~Q(session__state=Session.State.ENDED)
    is_for_us = Q(model_set__in=list(sets)) | ~Q(model_set__in=model_sets.names())
    return without_worker & is_for_us & (Q(state__in=[State.WAITING, State.RUNNING]) | called_off)


def _take(upload: Upload, free: Q, worker: str) -> Upload | None:
    durable = upload.session.durable if upload.session else 0
    got_further = durable > upload.progress
    state = State.CANCELLED if upload.state == State.CANCELLED else State.RUNNING
    # Whoever changes the row first has it: for the others it is not free any more.
    own = Upload.objects.filter(pk=upload.pk, lease_until=upload.lease_until, state=upload.state)
    if not own.update(
        state=state,
        worker=worker,
        lease_until=timezone.now() + LEASE,
        attempts=queue.attempts_after(upload.attempts, got_further=got_further),
        progress=durable,
    ):
        return None
    upload.refresh_from_db()
    return upload


def prolong(upload: Upload) -> bool:
    """Keep a file; tell whether it is still wanted, and ours."""
    own = Upload.objects.filter(pk=upload.pk, worker=upload.worker)
    own.filter(lease_until__isnull=False).update(lease_until=timezone.now() + LEASE)  # it may be settled
    return own.filter(state=State.RUNNING).exists()


def open_session(upload: Upload, facts: Facts) -> int:
    """Begin the meeting of a file, at the time at which it was, and return its primary key."""
    began = queue.begun_at(
        queue.parse_date(facts.recorded_at), upload.recorded_at, facts.samples, timezone.now()
    )
    with transaction.atomic():
        key = upload.session_key
        if Session.objects.filter(key=key).exists():
            key = f"{key[:100]}-{uuid.uuid4().hex[:8]}"
        continues = upload.continues
        if not Session.objects.filter(key=continues, state=Session.State.ENDED).exists():
            continues = ""
        session, _ = commits.get_or_create_session(
            key,
            owner=upload.owner_id,
            title=upload.title,
            model_set=upload.model_set if upload.model_set in model_sets.names() else "",
            continues=continues,
            expected=upload.expected,
            hotwords=from_column(upload.hotwords),
            script=upload.script,
            language=upload.language,
            itn=upload.itn,
            translate=upload.translate,
        )
        if began:
            Session.objects.filter(pk=session.pk).update(created_at=began)
        Upload.objects.filter(pk=upload.pk).update(session=session, session_key=key, samples=facts.samples)
    return session.pk


def check_length(facts: Facts) -> bool:
    """Tell whether a meeting may be as long as a file says that it is."""
    return facts.samples <= samples(settings.MAX_SESSION_S)


def settle(upload: Upload, fault: str) -> str:
    """Note what became of a file when its worker is through with it, and return its state.

    Args:
        fault: Why its audio ended too early, in a word of `reasons`.
    """
    own = Upload.objects.filter(pk=upload.pk, worker=upload.worker).select_related("session")
    row = own.first()
    if row is None:
        return ""
    session = row.session
    if row.state == State.CANCELLED:
        own.update(lease_until=None)
    elif session and session.has_ended:
        reason = "recognition" if session.has_failed else fault
        _finish(own, State.FAILED if reason else State.DONE, reason)
    else:
        # Another worker goes on, or this one after its restart.
        own.update(
            state=State.WAITING, lease_until=timezone.now() + timedelta(seconds=queue.retry_s(row.attempts))
        )
        return State.WAITING
    path_of(upload).unlink(missing_ok=True)
    return Upload.objects.get(pk=upload.pk).state


def give_back(upload: Upload) -> None:
    """Let another worker have a file at once: this one stops."""
    own = Upload.objects.filter(pk=upload.pk, worker=upload.worker, state=State.RUNNING)
    own.update(state=State.WAITING, lease_until=None, attempts=F("attempts") - 1)


def fail(upload: Upload, reason: str) -> None:
    """Give a file up of which there is no meeting."""
    own = Upload.objects.filter(pk=upload.pk, worker=upload.worker)
    _finish(own.exclude(state=State.CANCELLED), State.FAILED, reason)
    path_of(upload).unlink(missing_ok=True)


def _finish(own: QuerySet[Upload], state: Upload.State, reason: str) -> None:
    with transaction.atomic():
        if own.update(state=state, error=reason, lease_until=None, finished_at=timezone.now()):
            outbox.tell_upload(own.get())


def sweep() -> None:
    """Delete what nobody waits for: files of which the rest never came, and news of others that is old."""
    now = timezone.now()
    Upload.objects.filter(state=State.RECEIVING, changed_at__lt=now - ABANDONED).delete()
    over = Upload.objects.exclude(state__in=UNFINISHED_UPLOADS).filter(finished_at__lt=now - REMEMBERED)
    over.filter(Q(session=None) | Q(session__state=Session.State.ENDED)).delete()
    wanted = {
        str(key) for key in Upload.objects.filter(state__in=UNFINISHED_UPLOADS).values_list("key", flat=True)
    }
    for path in folder().glob("*"):
        is_old = path.stat().st_mtime < (now - ABANDONED).timestamp()
        if path.name not in wanted and is_old:
            path.unlink(missing_ok=True)
