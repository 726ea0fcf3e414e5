"""Links by which people record their own voice: signed, for one person, for some days, without a login."""

from __future__ import annotations

import enum
import uuid
from datetime import timedelta

import numpy as np
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import log
from audit.models import Action

from . import enrollment, lifecycle
from .enrollment import Verdict
from .exceptions import EnrollmentError
from .models import ConsentText, Invitation, Speaker, Voiceprint

VALID_DAYS = 7

MAX_TAKES = 10
"""Recordings that one link takes: each costs a worker's time."""


class Stage(enum.StrEnum):
    """Places on the way from the link to the voice."""

    OPEN = "open"
    JUDGING = "judging"
    WAITING = "waiting"
    """Somebody must decide on the recording."""

    AGAIN = "again"
    """The recording was too bad, or was discarded."""

    DONE = "done"


def stage(
    *, has_agreed: bool, has_recording: bool, is_judged: bool, can_be_stored: bool, is_enrolled: bool
) -> Stage:
    """Decide what a link's page shows."""
    if has_recording and not is_judged:
        return Stage.JUDGING
    if has_recording:
        return Stage.WAITING if can_be_stored else Stage.AGAIN
    if not has_agreed:
        return Stage.OPEN
    return Stage.DONE if is_enrolled else Stage.AGAIN


def stage_of(invitation: Invitation) -> Stage:
    """Return how far the person has come."""
    draft, consent = invitation.enrollment, invitation.consent
    verdict = Verdict.of(draft) if draft else None
    return stage(
        has_agreed=consent is not None,
        has_recording=draft is not None,
        is_judged=verdict is not None,
        can_be_stored=verdict is not None and verdict.can_be_stored,
        is_enrolled=consent is not None and consent.voiceprints.exists(),
    )


def invite(speaker: Speaker, *, by: User) -> Invitation:
    """Make a link for one person."""
    expires_at = timezone.now() + timedelta(days=VALID_DAYS)
    with transaction.atomic():
        invitation = Invitation.objects.create(speaker=speaker, created_by=by, expires_at=expires_at)
        log.record(Action.INVITED, by=by, speaker=speaker.uuid, invitation=str(invitation.uuid))
    return invitation


def token_of(invitation: Invitation) -> str:
    """Return what the link's address ends in: the invitation's key, signed."""
    return _signer().sign(invitation.uuid.hex)


def find(token: str) -> Invitation | None:
    """Return the invitation of a link that is good: to record, or to see one's consent and withdraw it."""
    try:
        key = uuid.UUID(_signer().unsign(token))
    except (BadSignature, ValueError):
        return None
    known = Invitation.objects.select_related("speaker", "consent__text", "enrollment", "created_by")
    is_good = Q(expires_at__gt=timezone.now()) | Q(consent__isnull=False)
    return known.filter(is_good, pk=key, created_by__is_active=True).first()


def take(invitation: Invitation, audio: np.ndarray, text: ConsentText | None) -> None:
    """Keep a recording that somebody made of themselves; a good one is stored without asking again.

    Args:
        text: What the person has agreed to with this recording; None if they had agreed before.

    Raises:
        EnrollmentError: If the link is over, took too many recordings already, or nobody has agreed.
    """
    with transaction.atomic():
        row = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if row.is_over:
            raise EnrollmentError(_("This link is over. Ask for another."))
        if row.takes >= MAX_TAKES:
            raise EnrollmentError(_("This link has taken too many recordings. Ask for another."))
        if row.enrollment:
            lifecycle.discard(row.enrollment)
        if text is not None:
            row.consent = enrollment.record_consent(row.speaker, text, by=None, invitation=str(row.uuid))
        if row.consent is None:
            raise EnrollmentError(_("The consent was withdrawn or has expired."))
        row.enrollment = enrollment.begin(
            audio,
            source=Voiceprint.Source.INVITATION,
            by=row.created_by,
            speaker=row.speaker,
            consent=row.consent,
        )
        row.takes += 1
        row.save()


def withdraw(invitation: Invitation) -> None:
    """Take back the consent that was given by a link, with all that was recorded under it."""
    with transaction.atomic():
        row = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if row.enrollment:
            lifecycle.discard(row.enrollment)
        if row.consent:
            lifecycle.withdraw(row.consent, by=None, invitation=str(row.uuid))


def _signer() -> Signer:
    return Signer(salt="speakers.invitation")
