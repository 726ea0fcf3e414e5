"""Work on one session after another: one that makes it fail is passed over from then on."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError

from sessions_app.models import Session

logger = logging.getLogger(__name__)


def or_pass_over(
    work: Callable[[Session], object], session: Session, failed: set[int] | None, *, name: str
) -> None:
    """Do this with a session; where that fails, log it and remember the session.

    Args:
        failed: Keys of sessions that are passed over; None to have the error.
        name: What is made of the session, as the log has it.
    """
    try:
        work(session)
    except DatabaseError:
        raise  # it is away: no fault of this session
    except Exception:
        if failed is None:
            raise
        logger.exception("the %s of meeting %r cannot be made: it is passed over", name, session.key)
        failed.add(session.pk)
