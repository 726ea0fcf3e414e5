"""`manage.py cells`: the Redis servers that sessions are spread over, each with workers of its own."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from sessions_app.cells import directory
from sessions_app.transport import addresses, connecting
from sessions_app.transport.interface import WorkerNote
from sessions_app.transport.redis import RedisTransport

ANSWER_S = 5.0


class Command(BaseCommand):
    help = (
        "List the cells that sessions are spread over, add one, drain it, fill it again, or remove it. "
        "Running processes know at once. The workers of a cell are started with ASR_CELL=NAME."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action")
        adding = actions.add_parser("add", help="a Redis that sessions may live in from now on")
        adding.add_argument("name")
        adding.add_argument("address", help=addresses.FORMS)
        for action, what in (
            ("drain", "no new sessions there; those that run end there"),
            ("fill", "new sessions there again"),
            ("remove", "forget a drained cell whose sessions have ended"),
        ):
            actions.add_parser(action, help=what).add_argument("name")

    def handle(self, *args: Any, action: str | None, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("cells are beside the one of REDIS_URL: set it first")
        try:
            self._change(action, **options)
        except directory.CellError as error:
            raise CommandError(str(error)) from error
        self._list()

    def _change(self, action: str | None, *, name: str = "", address: str = "", **options: Any) -> None:
        match action:
            case "add":
                _check_new(name, address)
                directory.add(name, address)
            case "drain":
                directory.set_takes_new(name, False)
            case "fill":
                directory.set_takes_new(name, True)
            case "remove":
                directory.remove(name)

    def _list(self) -> None:
        for note in directory.notes():
            new = "takes new sessions" if note.takes_new else "drained"
            self.stdout.write(f"{note.name}: {new}, {note.sessions} sessions, {_workers_of(note.name)}")


def _workers_of(cell: str) -> str:
    try:
        workers = async_to_sync(_ask)(directory.address_of(cell))
    except (OSError, RedisError) as error:
        return f"does not answer: {error}"
    return f"{len(workers)} workers for {sum(worker.capacity for worker in workers)}"


async def _ask(address: str) -> list[WorkerNote]:
    transport = RedisTransport(address)
    try:
        async with asyncio.timeout(ANSWER_S):
            return await transport.workers()
    finally:
        await transport.aclose()


def _check_new(name: str, address: str) -> None:
    """Refuse an address that makes no sense, does not answer, or is one of a cell that is there.

    Raises:
        CommandError: With the reason. Workers of two cells in one Redis would take each other's sessions.
    """
    try:
        server = _server_at(address)
    except addresses.BadAddress as error:
        raise CommandError(f"the address is not understood: {error}") from error
    except (OSError, RedisError) as error:
        raise CommandError(f"the new cell does not answer: {error}") from error
    for other in directory.names():
        if other != name and _answers_as(server, other):
            raise CommandError(f"{other!r} is in this Redis already: give each cell a server of its own")


def _answers_as(server: tuple[str, int], cell: str) -> bool:
    try:
        return _server_at(directory.address_of(cell)) == server
    except (OSError, RedisError):
        return False  # which the new one does


def _server_at(address: str) -> tuple[str, int]:
    """Return the identity of a server, and the number of the database in it."""
    addresses.parse(address)
    client = connecting.connect_blocking(address, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
    try:
        told: Any = client.info("server")
        return str(told["run_id"]), int(client.connection_pool.connection_kwargs.get("db", 0))
    finally:
        connecting.close_blocking(client)
