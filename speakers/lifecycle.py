"""The end of a voiceprint: withdrawn, expired, forgotten. And two speakers who are one.

Deleting a row, by whatever path (a page, the admin, a cascade, a shell), is forgetting: signals see to it
that the recording goes with the row, every worker drops the voice, no copy of the name stays behind, and
what the database's files still have of it is wiped out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal, receiver
from django.utils import timezone

from . import audit, notify, secure_erase
from .gallery import CALIBRATION
from .models import AuditEntry, Calibration, Consent, Enrollment, GalleryChange, Speaker, Voiceprint

DRAFT_LIFE = timedelta(hours=24)
"""An enrollment that nobody decided on is deleted after this."""

CHANGE_LIFE = timedelta(days=7)

speakers_merged = Signal()
"""Sent in the transaction of a merge with `kept` and `gone`: whatever refers to `gone` must follow."""


def forget(speaker: Speaker, *, by: User | None) -> None:
    """Delete all that is known of a speaker. Lines of transcripts go on as a stranger's."""
    with transaction.atomic():
        audit.record(
            AuditEntry.Action.FORGOTTEN, by=by, speaker=speaker.uuid, voiceprints=speaker.voiceprints.count()
        )
        speaker.delete()


def forget_voiceprint(voiceprint: Voiceprint, *, by: User | None) -> None:
    with transaction.atomic():
        audit.record(
            AuditEntry.Action.VOICEPRINT_FORGOTTEN,
            by=by,
            speaker=voiceprint.speaker.uuid,
            voiceprint=str(voiceprint.uuid),
        )
        voiceprint.delete()


def withdraw(consent: Consent, *, by: User | None) -> None:
    """A person agrees no more: what was enrolled under this consent is deleted."""
    with transaction.atomic():
        audit.record(
            AuditEntry.Action.CONSENT_WITHDRAWN,
            by=by,
            speaker=consent.speaker.uuid,
            voiceprints=consent.voiceprints.count(),
        )
        consent.delete()


def discard(draft: Enrollment) -> None:
    """A recording does not become a voiceprint."""
    with transaction.atomic():
        draft.delete()
        secure_erase.schedule()


def merge(kept: Speaker, gone: Speaker, *, by: User | None) -> None:
    """Two entries are one person: all that belongs to `gone` goes to `kept`, and `gone` is deleted."""
    if kept.pk == gone.pk:
        raise ValueError(f"speaker {kept.uuid} cannot be merged with itself")
    with transaction.atomic():
        for model in (Consent, Voiceprint, Enrollment):
            model.objects.filter(speaker=gone).update(speaker=kept)
        speakers_merged.send(Speaker, kept=kept, gone=gone)
        audit.record(AuditEntry.Action.MERGED, by=by, speaker=kept.uuid, gone=str(gone.uuid))
        _note_change(kept.pk)
        gone.delete()


def expire() -> None:
    """Delete what has run out: consents with all that was enrolled under them, and abandoned enrollments."""
    now = timezone.now()
    for consent in Consent.objects.filter(expires_at__lte=now).select_related("speaker"):
        with transaction.atomic():
            audit.record(
                AuditEntry.Action.EXPIRED,
                speaker=consent.speaker.uuid,
                voiceprints=consent.voiceprints.count(),
            )
            consent.delete()
    for draft in Enrollment.objects.filter(created_at__lt=now - DRAFT_LIFE):
        discard(draft)
    GalleryChange.objects.filter(created_at__lt=now - CHANGE_LIFE).delete()


def _note_change(speaker: int) -> None:
    """Tell the workers, when this is committed, that the voices of a speaker changed."""
    GalleryChange.objects.create(speaker=speaker)
    transaction.on_commit(notify.notify_workers)


@receiver([post_save, post_delete], sender=Voiceprint)
@receiver([post_save, post_delete], sender=Consent)
def _voices_changed(instance: Voiceprint | Consent, **kwargs: Any) -> None:
    _note_change(instance.speaker_id)


@receiver([post_save, post_delete], sender=Calibration)
def _comparison_changed(**kwargs: Any) -> None:
    _note_change(CALIBRATION)


@receiver(post_delete, sender=Voiceprint)
@receiver(post_delete, sender=Speaker)
def _wipe_traces(**kwargs: Any) -> None:
    secure_erase.schedule()


@receiver(post_delete, sender=Voiceprint)
@receiver(post_delete, sender=Enrollment)
def _delete_recording(instance: Voiceprint | Enrollment, **kwargs: Any) -> None:
    storage, name = instance.audio.storage, instance.audio.name
    if name:
        transaction.on_commit(lambda: storage.delete(name))


@receiver(post_delete, sender=Speaker)
def _forget_name(instance: Speaker, **kwargs: Any) -> None:
    """The admin's own log names people; the audit log does not."""
    kind = ContentType.objects.get_for_model(Speaker)
    LogEntry.objects.filter(content_type=kind, object_id=str(instance.pk)).delete()
    _note_change(instance.pk)
