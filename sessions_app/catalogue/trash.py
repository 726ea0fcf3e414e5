"""The trash: meetings that were deleted, and can be had back for some days.

What lies in it is in no list, search or receiver, as if it were gone; `transcripts.retention` deletes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import log
from audit.models import Action
from sessions_app.access import rights_changes
from sessions_app.models import Session
from sessions_app.transcripts import retention
from sessions_app.transcripts.retention import StillLive

MAX_DAYS = 36_525.0
"""A century: dates do not reach forward for ever."""


def put(session: Session) -> None:
    """Put a meeting into the trash.

    Raises:
        StillLive: If it has not ended: somebody speaks into it.
    """
    over = Session.objects.filter(pk=session.pk, state=Session.State.ENDED)
    with transaction.atomic():
        if not over.update(trashed_at=timezone.now()):
            raise StillLive
        log.record(Action.MEETING_TRASHED, meeting=session.key)
        rights_changes.announce(session_key=session.key)


def restore(sessions: Iterable[Session]) -> None:
    """Take meetings out of the trash, with all that they were."""
    rows = list(sessions)
    with transaction.atomic():
        Session.objects.filter(pk__in=[session.pk for session in rows]).update(trashed_at=None)
        log.write(log.entry(Action.MEETING_RESTORED, meeting=session.key) for session in rows)


def empty() -> int:
    """Delete for good what has been in the trash for its time, and return how many meetings that were."""
    limit = timezone.now() - _time_in_it(settings.TRASH_DAYS)
    over = list(Session.objects.filter(trashed_at__lt=limit))
    if over:
        retention.delete_sessions(over)
    return len(over)


def newest_first(sessions: QuerySet[Session]) -> list[Session]:
    """Return what lies in the trash, what was put there last first."""
    return list(sessions.select_related("owner").order_by("-trashed_at", "-pk"))


def days_left(trashed_at: datetime, now: datetime, days: float) -> int:
    """Return for how many days, begun ones included, a meeting can still be had back."""
    left = trashed_at + _time_in_it(days) - now
    return max(0, math.ceil(left / timedelta(days=1)))


def _time_in_it(days: float) -> timedelta:
    return timedelta(days=min(days, MAX_DAYS))
