"""An ear of this process on one channel layer: a channel that is opened until it is there, and its groups."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from sessions_app.transport.interface import Unreachable
from sessions_app.transport.layers import layer_of
from sessions_app.wire import layer_messages

logger = logging.getLogger(__name__)

CHANNEL_OPEN_TIMEOUT_S = 3.0
"""How long who comes first waits for the layer; those who come later wait for nothing."""

AGAIN_S = 2.0
"""How soon a layer is tried again that cannot be heard."""

LAYER_ERRORS = (*layer_messages.LAYER_ERRORS, Unreachable)


class Ear:
    """One loop that is never cancelled loses no message, as cancelled receives do.

    Args:
        cell: Whose layer it listens to.
        groups: Returns all groups that it should be in.
        receive: Called with each message.
    """

    def __init__(
        self, cell: str, *, groups: Callable[[], Iterable[str]], receive: Callable[[dict[str, Any]], None]
    ) -> None:
        self.tried = asyncio.Event()
        """Set when it hears, or has found out that it does not yet."""

        self._cell = cell
        self._groups = groups
        self._receive = receive
        self._channel = ""

    async def run(self) -> None:
        while True:
            if not self._channel:
                await self._open()
                self.tried.set()
            if not self._channel:
                await asyncio.sleep(AGAIN_S)
                continue
            try:
                message = await (await layer_of(self._cell)).receive(self._channel)
            except LAYER_ERRORS as error:
                logger.warning("the channel layer cannot be heard: %s", error)
                await asyncio.sleep(AGAIN_S)
                await self.rejoin()
                continue
            self._receive(message)

    async def rejoin(self) -> None:
        for group in list(self._groups()):
            await self.join(group)

    async def join(self, group: str) -> None:
        if not self._channel:
            return  # all are joined when there is one
        try:
            await (await layer_of(self._cell)).group_add(group, self._channel)
        except LAYER_ERRORS as error:
            # Those who follow are served from the database alone, a little later.
            logger.warning("a session is followed without the channel layer: %s", error)

    async def leave(self, group: str) -> None:
        if not self._channel:
            return
        try:
            await (await layer_of(self._cell)).group_discard(group, self._channel)
        except LAYER_ERRORS as error:
            logger.warning("the group of a session nobody follows stays joined: %s", error)

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(CHANNEL_OPEN_TIMEOUT_S):
                self._channel = await (await layer_of(self._cell)).new_channel("fanout")
        except LAYER_ERRORS as error:
            logger.warning("there is no channel yet: %s", error)
            return
        await self.rejoin()
