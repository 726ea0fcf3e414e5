"""Usage of this installation by one account, and the quota that it has."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from recognition.audio import seconds
from sessions_app.access.quotas import DAYS, Limits, Usage
from sessions_app.models import UNFINISHED_UPLOADS, Quota, Session, Upload
from sessions_app.recordings import files


def limits_of(user_pk: int) -> Limits:
    """Return the limits of an account: its own, where it has some, else those of all."""
    common = Limits(
        sockets=settings.QUOTA_SOCKETS,
        sessions=settings.QUOTA_SESSIONS,
        minutes=settings.QUOTA_MINUTES,
        storage_mb=settings.QUOTA_STORAGE_MB,
    )
    own = Quota.objects.filter(user=user_pk).first()
    if own is None:
        return common
    return Limits(
        sockets=common.sockets,
        sessions=common.sessions if own.sessions is None else own.sessions,
        minutes=common.minutes if own.minutes is None else own.minutes,
        storage_mb=common.storage_mb if own.storage_mb is None else own.storage_mb,
    )


def quota_of(user_pk: int, *, begins: bool) -> tuple[Limits, Usage]:
    """Return what an account may take; and what it takes, if it begins a session."""
    limits = limits_of(user_pk)
    return limits, usage_of(user_pk, limits) if begins else Usage()


def usage_of(user_pk: int, limits: Limits) -> Usage:
    """Count what an account takes, as far as its limits ask for it: files are not looked at for nothing.

    What is transcribed from a file is no session that goes on, and counts from when it was sent.
    """
    own = Session.objects.filter(owner=user_pk)
    since = timezone.now() - timedelta(days=DAYS)
    recent = Q(created_at__gte=since) | Q(upload__created_at__gte=since)
    is_spoken = ~Q(state=Session.State.ENDED) & Q(upload=None)
    counts = own.aggregate(going_on=Count("pk", filter=is_spoken), recorded=Sum("durable", filter=recent))
    coming = Upload.objects.filter(owner=user_pk, state__in=UNFINISHED_UPLOADS)
    return Usage(
        sessions=counts["going_on"],
        minutes=seconds(counts["recorded"] or 0) / 60,
        storage_bytes=_stored(own) + (coming.aggregate(all=Sum("size"))["all"] or 0)
        if limits.storage_mb
        else 0,
    )


def _stored(own: QuerySet[Session]) -> int:
    return sum(map(files.size, own.values_list("pk", flat=True)))
