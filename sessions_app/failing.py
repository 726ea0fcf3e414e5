"""The end of a session that recognition cannot cope with: its audio is kept, and everyone is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from recognition.audio import seconds

from . import groups, recordings, services
from .database import in_database
from .models import Session
from .protocol import SessionEnd
from .services import Lease
from .transport import Fenced, Transport

logger = logging.getLogger(__name__)


async def end_in_failure(
    lease: Lease, *, transport: Transport, publish: Callable[[str, dict[str, Any]], Awaitable[None]]
) -> None:
    """End a session though not all of its audio is recognised.

    Raises:
        Fenced: If another worker has taken the session over.
    """
    logger.error(
        "session %s: ended, because recognition failed %d times at %.1f s",
        lease.session,
        lease.failures,
        seconds(lease.durable),
    )
    received = await _record_the_rest(lease, transport)
    await in_database(services.set_state, lease, Session.State.ENDED)
    end = SessionEnd(lease.last_seq, seconds(received), seconds(lease.durable), has_failed=True)
    await publish(groups.session_group(lease.key), groups.end_message(lease.key, end))
    await transport.release(lease.session)
    await asyncio.to_thread(recordings.encode_flac, lease.session)


async def _record_the_rest(lease: Lease, transport: Transport) -> int:
    """Write down the audio that is still in the log; where it ends."""
    position = lease.durable
    try:
        journal = recordings.Journal(lease.session)
        try:
            while (stretch := await transport.read(lease.session, position, timeout_s=0.5)).audio:
                journal.write(stretch.start, np.frombuffer(stretch.audio, "<f4"))
                position = stretch.end
            journal.sync()
        finally:
            journal.close()
    except Fenced:
        raise
    except Exception:  # it may be what recognition failed on
        logger.exception("session %s: its recording ends at %.1f s", lease.session, seconds(position))
    return position
