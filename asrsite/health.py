"""Health checks: is the process alive, and can it recognise?"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import Error as DatabaseError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from sessions_app.installation import missing_migrations
from sessions_app.transport.readiness import recognition_is_ready
from sessions_app.wire.layer_messages import LAYER_ERRORS

logger = logging.getLogger(__name__)

TIMEOUT_S = 3.0

REMEMBERED_S = 2.0
"""However many ask, so seldom is something written."""

PROBE_BYTES = 64 * 1024


async def alive(request: HttpRequest) -> HttpResponse:
    """Show that the event loop answers, and touch nothing else: a slow database gets no process killed."""
    return HttpResponse("alive\n", content_type="text/plain")


async def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 if a session could be recognised now, else 503; the body says what is missing."""
    parts = {
        "database": await _works(_database),
        "disk": await _works(_disk),
        "channel_layer": await _works(_channel_layer),
        "recognition": await _works(recognition_is_ready),
    }
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


async def _works(probe: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await probe()
    except (DatabaseError, OSError, TimeoutError, *LAYER_ERRORS) as error:
        logger.warning("not ready: %s", error)
        return False


async def _database() -> bool:
    return await PROBES.ask("database", _write_a_row)


async def _disk() -> bool:
    return await PROBES.ask("disk", _write_a_file)


class Probes:
    """Writes that show whether something can be kept: each in a thread, once for all who ask meanwhile."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[float, asyncio.Task[bool]]] = {}

    async def ask(self, name: str, write: Callable[[], bool]) -> bool:
        """Return what it came to, or what it did a moment ago."""
        now, loop = time.monotonic(), asyncio.get_running_loop()
        asked_at, task = self._asked.get(name, (-math.inf, None))
        is_old = task is not None and task.done() and now - asked_at > REMEMBERED_S
        if task is None or is_old or task.get_loop() is not loop:
            task = asyncio.create_task(database_sync_to_async(write, thread_sensitive=False)())
            self._asked[name] = now, task
        return await asyncio.shield(task)


PROBES = Probes()


def _write_a_row() -> bool:
    """Write to the database and take it back; False if it lacks what this version needs."""
    with transaction.atomic():
        row = Session(
            session_key=f"readyz-{secrets.token_hex(8)}", session_data="", expire_date=timezone.now()
        )
        row.save(force_insert=True)
        transaction.set_rollback(True)
    return not missing_migrations()


def _write_a_file() -> bool:
    """Write where recordings are kept, to the disk itself."""
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(PROBE_BYTES))
        file.flush()
        os.fsync(file.fileno())
    return True


async def _channel_layer() -> bool:
    layer: Any = get_channel_layer()
    await layer.group_send("readiness", {"type": "probe"})  # nobody listens; but it must arrive
    return True
