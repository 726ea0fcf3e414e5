"""`manage.py serve`: pages, sockets and, unless Redis is configured, the recognition itself."""

from __future__ import annotations

import asyncio
import logging
from argparse import ArgumentParser
from typing import Any

from audit.later import get_later

from sessions_app.serving.daphne_server import PatientServer  # isort: skip
from channels.routing import get_default_application
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from websockets.exceptions import WebSocketException

from sessions_app import installation
from sessions_app.catalogue.first_start import FIRST_START
from sessions_app.sample.demo import show_sample_meeting
from sessions_app.serving.bounded_bodies import max_body_bytes
from sessions_app.serving.frame_limits import MAX_MESSAGE_BYTES
from sessions_app.serving.gc_freeze import freeze_heap
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.transport.current import get_transport
from sessions_app.worker.hosted_worker import HostedWorker, failure_message

logger = logging.getLogger(__name__)

MAX_PORT = 65_535


class Command(BaseCommand):
    help = "Serve pages and sockets; without REDIS_URL, recognise in the same process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument(
            "--demo",
            action="store_true",
            help="while there is no session yet, stream the sample meeting (not with DEMO=0)",
        )

    def handle(self, *args: Any, host: str, port: int, demo: bool, **options: Any) -> None:
        if not 1 <= port <= MAX_PORT:
            raise CommandError(f"--port {port}: ports are numbers from 1 to {MAX_PORT}")
        try:
            with installation.at_work():
                self._prepare_what_is_new()
                installation.check()
                self._serve(host, port, is_demo=demo and settings.DEMO)
        except installation.BadInstallation as error:
            raise CommandError(str(error)) from error

    def _serve(self, host: str, port: int, *, is_demo: bool) -> None:
        self.port = port
        self.is_demo = is_demo
        FIRST_START.is_sample_coming = self.is_demo
        self.failure: Exception | None = None
        self.worker = None if settings.REDIS_URL else HostedWorker()
        interface = host.replace(":", r"\:")
        self.server = PatientServer(
            get_default_application(),
            endpoints=[f"tcp:port={port}:interface={interface}"],
            on_stop=self._stop,
            max_body_bytes=max_body_bytes,
            ready_callable=self._start_soon,
            websocket_timeout=-1,
            websocket_handshake_timeout=20,  # senders wait in it for their turn
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            websocket_max_frame_size=MAX_MESSAGE_BYTES,
            ping_interval=20,
            ping_timeout=30,
            application_close_timeout=60,
            verbosity=0,
        )
        self.stdout.write(f"Serving on http://{host}:{port}/  (Ctrl-C stops)")
        self._tell_other_computers(host, port)
        self.server.run()
        if self.failure:
            raise CommandError(failure_message(self.failure)) from self.failure
        if not self.server.listening_addresses:
            raise CommandError(f"Cannot listen on {host}:{port}: is another server running there?")

    def _tell_other_computers(self, host: str, port: int) -> None:
        """Say how they get in; those that the settings do not know would be refused."""
        if host != settings.HOST:
            return
        for address in settings.NETWORK_HOSTS:
            if address in settings.ALLOWED_HOSTS:
                self.stdout.write(f"Other computers on this network: http://{address}:{port}/")
        if settings.NETWORK_HOSTS and not settings.HTTPS:
            self.stdout.write("(with a login; their microphones need HTTPS: see docs/deployment.md)")

    def _prepare_what_is_new(self) -> None:
        """Spare a first look the command for it; who has more than one process is to give it once."""
        if connection.vendor == "sqlite" and not settings.REDIS_URL:
            if installation.is_new():
                call_command("prepare", stdout=self.stdout)
            connection.close()

    def _start_soon(self) -> None:
        self._starting = asyncio.get_event_loop().create_task(self._start())

    async def _start(self) -> None:
        """Recognise until the server stops; where that fails, the server must not stay up and be silent."""
        try:
            if self.worker:
                await self.worker.start()
            freeze_heap()
            if self.is_demo:
                await self._show_sample_meeting()
            if self.worker:
                await self.worker.run()
        except Exception as error:  # noqa: BLE001 - whoever started it must be told, whatever it is
            self.failure = error
            self.server.stop()

    async def _show_sample_meeting(self) -> None:
        try:
            await show_sample_meeting(self.port, self._say)
        except* (OSError, WebSocketException) as group:
            logger.warning("the sample meeting broke off: %s", group.exceptions[0])
        finally:
            FIRST_START.is_sample_coming = False

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    async def _stop(self) -> None:
        await cancel_and_wait(self._starting)
        if self.worker:
            await self.worker.stop()
        await get_later().aclose()
        await get_transport().aclose()
