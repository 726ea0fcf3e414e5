"""The life of an entry after its enrollment: renamed, merged, withdrawn, expired, forgotten.

These are the use cases that pages, the admin and the API call. Each calls by name whatever has to follow;
the recording, the gallery and other traces of a deleted row go by `speakers.traces`, whatever deletes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import log
from audit.models import Action

from . import followers, secure_erase
from .gallery_changes import gallery_changed
from .models import Consent, Enrollment, GalleryChange, Invitation, Speaker, Voiceprint

DRAFT_LIFE = timedelta(hours=24)
"""An enrollment that nobody decided on is deleted after this."""

CHANGE_LIFE = timedelta(days=7)


def rename(speaker: Speaker, *, name: str, note: str, by: User | None) -> None:
    """Change the name and the note of a speaker; transcripts show the new name."""
    speaker.name, speaker.note = name, note
    speaker._history_user = by  # type: ignore[attr-defined]
    with transaction.atomic():
        speaker.save()
        followers.renamed(speaker)


def forget(speaker: Speaker, *, by: User | None) -> None:
    """Delete all that is known of a speaker. Lines of transcripts go on as a stranger's."""
    with transaction.atomic():
        log.record(Action.FORGOTTEN, by=by, speaker=speaker.uuid, voiceprints=speaker.voiceprints.count())
        speaker.delete()


def forget_all(speakers: QuerySet[Speaker], *, by: User | None) -> None:
    """Delete all that is known of several speakers, or of none of them if that fails."""
    with transaction.atomic():
        for speaker in speakers:
            forget(speaker, by=by)


def forget_voiceprint(voiceprint: Voiceprint, *, by: User | None) -> None:
    """Delete one recording of a speaker, and the voice that was found in it."""
    with transaction.atomic():
        log.record(
            Action.VOICEPRINT_FORGOTTEN,
            by=by,
            speaker=voiceprint.speaker.uuid,
            voiceprint=str(voiceprint.uuid),
        )
        voiceprint.delete()


def withdraw(consent: Consent, *, by: User | None, **detail: Any) -> None:
    """Delete a consent that a person took back, and what was enrolled under it.

    Args:
        by: Who was told; None if the person did it themselves, by a link.
        detail: More for the log.
    """
    with transaction.atomic():
        log.record(
            Action.CONSENT_WITHDRAWN,
            by=by,
            speaker=consent.speaker.uuid,
            voiceprints=consent.voiceprints.count(),
            **detail,
        )
        consent.delete()


def discard(draft: Enrollment) -> None:
    """Delete a recording that does not become a voiceprint."""
    with transaction.atomic():
        draft.delete()
        secure_erase.schedule()


def merge(kept: Speaker, gone: Speaker, *, by: User | None) -> None:
    """Give all that belongs to `gone` to `kept`, who is the same person, and delete `gone`."""
    if kept.pk == gone.pk:
        raise ValueError(f"speaker {kept.uuid} cannot be merged with itself")
    with transaction.atomic():
        for model in (Consent, Voiceprint, Enrollment, Invitation):
            model.objects.filter(speaker=gone).update(speaker=kept)
        followers.merged(kept, gone)
        log.record(Action.MERGED, by=by, speaker=kept.uuid, gone=str(gone.uuid))
        gallery_changed(kept.pk)
        gone.delete()


def merge_all(kept: Speaker, others: Iterable[Speaker], *, by: User | None) -> None:
    """Merge several entries into one, or none of them if that fails."""
    with transaction.atomic():
        for gone in others:
            merge(kept, gone, by=by)


def expire() -> None:
    """Delete what has run out: consents with all that was enrolled under them, and abandoned enrollments."""
    now = timezone.now()
    for consent in Consent.objects.filter(expires_at__lte=now).select_related("speaker"):
        _expire_consent(consent)
    for draft in Enrollment.objects.filter(created_at__lt=now - DRAFT_LIFE):
        discard(draft)
    Invitation.objects.filter(expires_at__lte=now, consent=None).delete()  # the others are for withdrawing
    GalleryChange.objects.filter(created_at__lt=now - CHANGE_LIFE).delete()


def _expire_consent(consent: Consent) -> None:
    """Delete a consent; every worker does so, and the one that was first records it."""
    with transaction.atomic():
        voiceprints = consent.voiceprints.count()
        deleted = consent.delete()[1]
        if deleted.get(Consent._meta.label):
            log.record(Action.EXPIRED, speaker=consent.speaker.uuid, voiceprints=voiceprints)
