"""ASGI's lifespan protocol: starts and stops the hosted worker with uvicorn and its like; daphne has none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from audit.later import get_later
from sessions_app import installation
from sessions_app.serving.gc_freeze import freeze_heap
from sessions_app.transport.current import get_transport

from .hosted_worker import HostedWorker, failure_message

Message = dict[str, Any]


def _check() -> int:
    lock = installation.lock_folder()
    installation.check()
    return lock


def _let_go(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


async def lifespan(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    worker = None if settings.REDIS_URL else HostedWorker()
    lock: int | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                lock = await asyncio.to_thread(_check)
                if worker:
                    await worker.start()
            except Exception as error:  # noqa: BLE001 - after one that raises, servers go on, silent
                _let_go(lock)
                await send({"type": "lifespan.startup.failed", "message": failure_message(error)})
                return
            freeze_heap()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if worker:
                await worker.stop()
            await get_later().aclose()
            await get_transport().aclose()
            _let_go(lock)
            await send({"type": "lifespan.shutdown.complete"})
            return
