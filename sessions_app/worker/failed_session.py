"""The end of a session that recognition cannot cope with: its audio is kept, and everyone is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from recognition.audio import seconds
from sessions_app.recordings import files
from sessions_app.store import commits
from sessions_app.store.commits import Lease
from sessions_app.store.in_database import in_database
from sessions_app.transport.interface import AudioLog, Fenced
from sessions_app.wire import layer_messages
from sessions_app.wire.protocol import ClosedBy, SessionEnd

logger = logging.getLogger(__name__)


async def end_in_failure(
    lease: Lease, *, transport: AudioLog, publish: Callable[[str, dict[str, Any]], Awaitable[None]]
) -> None:
    """End a session though not all of its audio is recognised.

    Raises:
        Fenced: If another worker has taken the session over.
    """
    logger.error(
        "session %s: ended, because recognition failed %d times at %.1f s",
        lease.session_pk,
        lease.failures,
        seconds(lease.durable),
    )
    received = await _record_the_rest(lease, transport)
    await in_database(commits.end, lease, ClosedBy.FAILURE)
    end = SessionEnd(lease.last_seq, received, lease.durable, closed_by=ClosedBy.FAILURE)
    await publish(layer_messages.session_group(lease.key), layer_messages.end_message(lease.key, end))
    await transport.release(lease.session_pk)
    await asyncio.to_thread(files.encode_flac, lease.session_pk)


async def _record_the_rest(lease: Lease, transport: AudioLog) -> int:
    """Write down the audio that is still in the log; where it ends."""
    position = max(lease.durable, lease.recorded)
    try:
        journal = files.Journal(lease.session_pk)
        try:
            while (chunk := await transport.read(lease.session_pk, position, timeout_s=0.5)).audio:
                journal.write(chunk.start, np.frombuffer(chunk.audio, "<f4"))
                position = chunk.end
            journal.sync()
        finally:
            journal.close()
    except Fenced:
        raise
    except Exception:  # it may be what recognition failed on
        logger.exception("session %s: its recording ends at %.1f s", lease.session_pk, seconds(position))
    return position
