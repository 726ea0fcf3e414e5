"""ASGI's lifespan protocol: starts and stops the hosted worker with uvicorn and its like; daphne has none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

from django.conf import settings

from audit.later import get_later
from sessions_app import installation
from sessions_app.serving.gc_freeze import freeze_heap
from sessions_app.transport.current import get_transport

from .hosted_worker import HostedWorker, failure_message

Message = dict[str, Any]


def _check(held: ExitStack) -> None:
    held.enter_context(installation.folder_locked())
    installation.check()


async def lifespan(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    worker = None if settings.REDIS_URL else HostedWorker()
    held = ExitStack()
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await asyncio.to_thread(_check, held)
                if worker:
                    await worker.start()
            except Exception as error:  # noqa: BLE001 - after one that raises, servers go on, silent
                held.close()
                await send({"type": "lifespan.startup.failed", "message": failure_message(error)})
                return
            freeze_heap()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if worker:
                await worker.stop()
            await get_later().aclose()
            await get_transport().aclose()
            held.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
