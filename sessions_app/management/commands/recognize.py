"""`manage.py recognize`: a recognition worker beside any number of web processes, joined by Redis."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recognition.exceptions import ModelError
from sessions_app.hosted_worker import HostedWorker
from sessions_app.transport import get_transport

STOP_S = 18.0
"""Whoever asked a process to stop kills it after a while, commonly 20 or 30 seconds."""


class Command(BaseCommand):
    help = "Recognise the sessions of web processes that share REDIS_URL and DATABASE_URL."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError(
                "recognize meets the web processes in Redis: set REDIS_URL. Without it, serve does all."
            )
        try:
            asyncio.run(self._run())
        except ModelError as error:
            raise CommandError(str(error)) from error

    async def _run(self) -> None:
        worker = HostedWorker()
        stopping = asyncio.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal_number, stopping.set)
        working = asyncio.create_task(self._work(worker))
        told_to_stop = asyncio.create_task(stopping.wait())
        await asyncio.wait([working, told_to_stop], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            raise CommandError("the worker ended though nobody told it to")
        try:
            async with asyncio.timeout(STOP_S):
                await worker.stop()
                await get_transport().aclose()
        except TimeoutError:
            self.stderr.write("What was being recognised is left to other workers.")
        working.cancel()

    async def _work(self, worker: HostedWorker) -> None:
        await worker.start()
        self.stdout.write("Recognising  (Ctrl-C stops)")
        await worker.run()
