"""Health checks: is the process alive, and can it recognise?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from sessions_app.transport.readiness import recognition_is_ready
from sessions_app.wire.layer_messages import LAYER_ERRORS

logger = logging.getLogger(__name__)

TIMEOUT_S = 3.0


async def alive(request: HttpRequest) -> HttpResponse:
    """Show that the event loop answers, and touch nothing else: a slow database gets no process killed."""
    return HttpResponse("alive\n", content_type="text/plain")


async def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 if a session could be recognised now, else 503; the body says what is missing."""
    parts = {
        "database": await _works(_database),
        "channel_layer": await _works(_channel_layer),
        "recognition": await _works(recognition_is_ready),
    }
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


async def _works(probe: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await probe()
    except (DatabaseError, TimeoutError, *LAYER_ERRORS) as error:
        logger.warning("not ready: %s", error)
        return False


async def _database() -> bool:
    await database_sync_to_async(_select_one, thread_sensitive=False)()
    return True


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def _channel_layer() -> bool:
    layer: Any = get_channel_layer()
    await layer.group_send("readiness", {"type": "probe"})  # nobody listens; but it must arrive
    return True
