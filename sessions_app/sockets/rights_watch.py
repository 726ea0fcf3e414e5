"""Rights of open sockets, asked again: when they change, and every half minute whatever was heard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

from channels.db import database_sync_to_async
from django.db import Error as DatabaseError

from sessions_app.access import admission
from sessions_app.access.admission import Admission, Credentials

logger = logging.getLogger(__name__)

EVERY_S = 30.0

RETRY_S = 1.0
"""How soon the database is asked again that did not answer; until then everybody stays."""

MAX_AT_ONCE = 20
"""Questions that one thread asks before it lets others have the database."""

admit_all = database_sync_to_async(admission.admit_all, thread_sensitive=False)


class Watched(Protocol):
    """A socket that was admitted."""

    credentials: Credentials
    admission: Admission

    def receive_admission(self, admission: Admission) -> None:
        """Take the answer of now. Called on the event loop; must return at once."""
        ...


class RightsWatch:
    """Asks for the sockets of this process; those that showed the same get one answer."""

    def __init__(self) -> None:
        self._sockets: set[Watched] = set()
        self._due: set[Watched] = set()
        self._wake = asyncio.Event()

    def add(self, socket: Watched) -> None:
        self._sockets.add(socket)

    def discard(self, socket: Watched) -> None:
        self._sockets.discard(socket)

    def count_of(self, user_pk: int) -> int:
        """Return how many sockets a login has in this process."""
        return sum(socket.admission.user_pk == user_pk for socket in self._sockets)

    def receive_hint(self, hint: dict[str, Any]) -> None:
        """Ask now for those whom a change may concern."""
        self.look(socket for socket in self._sockets if _concerns(hint, socket))

    def look(self, sockets: Iterable[Watched]) -> None:
        """Ask for these sockets now."""
        self._due.update(sockets)
        if self._due:
            self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wait_until(asyncio.get_running_loop().time() + EVERY_S)
            await self._ask_all(self._sockets)

    async def _wait_until(self, next_round: float) -> None:
        """Wait for the next round; ask meanwhile for those for whom it cannot wait."""
        while True:
            try:
                async with asyncio.timeout_at(next_round):
                    await self._wake.wait()
            except TimeoutError:
                return
            self._wake.clear()
            due, self._due = self._due, set()
            await self._ask_all(due)

    async def _ask_all(self, sockets: Iterable[Watched]) -> None:
        by_credentials: dict[Credentials, list[Watched]] = {}
        for socket in sockets:
            by_credentials.setdefault(socket.credentials, []).append(socket)
        known = list(by_credentials)
        for at in range(0, len(known), MAX_AT_ONCE):
            some = known[at : at + MAX_AT_ONCE]
            try:
                answers = await admit_all(some)
            except DatabaseError as error:
                logger.warning("rights cannot be asked for: %s", error)
                await asyncio.sleep(RETRY_S)
                self.look(socket for credentials in some for socket in by_credentials[credentials])
                continue
            for credentials, answer in answers.items():
                for socket in by_credentials[credentials]:
                    if socket in self._sockets:
                        socket.receive_admission(answer)


def _concerns(hint: dict[str, Any], socket: Watched) -> bool:
    key, user = hint["key"], hint["user"]
    return key in ("", socket.credentials.session_key) and user in (None, socket.admission.user_pk)
