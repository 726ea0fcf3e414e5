"""This process's ear on the channel layer: one channel, all feeds, any number of readers.

Every session's group has one member per process, not one per socket. A thousand receivers then cost a
thousand sends and nothing else; as members of the group each would also cost a queue, a copy and a
scan of all groups.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError

from sessions_app.cells.placement import HOME
from sessions_app.metrics import final_age, observe_age, partial_age
from sessions_app.store import queries, translations
from sessions_app.transport.cancel import cancel_and_wait
from sessions_app.wire import layer_messages

from .ear import Ear
from .feed import REMEMBERED, SessionFeed
from .rights_watch import RightsWatch

logger = logging.getLogger(__name__)

DATABASE_POLL_S = 2.0
"""How soon a message that the layer lost is made up for."""

REJOIN_S = 3600.0
"""Layers forget members of a group after a day."""

read_numbers = database_sync_to_async(queries.session_numbers, thread_sensitive=False)
read_lines = database_sync_to_async(queries.lines_after, thread_sensitive=False)
read_translations = database_sync_to_async(translations.after, thread_sensitive=False)
read_revisions = database_sync_to_async(queries.revisions_after, thread_sensitive=False)


class Listener(Protocol):
    """A socket that follows a session."""

    def feed_changed(self) -> None:
        """Look for something to send. Called on the event loop; must return at once."""
        ...


class _Followed:
    """A feed and who follows it."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.feed = SessionFeed()
        self.pk: int | None = None
        self.cell = HOME
        self.listeners: set[Listener] = set()
        self.is_filling = False

    def tell(self) -> None:
        for listener in list(self.listeners):
            listener.feed_changed()


class Fanout:
    """Follows sessions for the sockets of this process; belongs to one event loop."""

    def __init__(self) -> None:
        self.rights = RightsWatch()
        self._followed: dict[str, _Followed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ears: dict[str, Ear] = {}

    async def follow(self, key: str, listener: Listener) -> SessionFeed:
        """Be told of changes in a session until `leave`; the feed is as far as the database is."""
        await self._start()
        followed = self._followed.get(key)
        if followed is None:
            followed = self._followed[key] = _Followed(key)
            # Listen first and read then, so that nothing falls in between.
            await self._ears[HOME].join(layer_messages.session_group(key))
        followed.listeners.add(listener)
        if followed.pk is None:
            await self._poll([key])
        return followed.feed

    async def leave(self, key: str, listener: Listener) -> None:
        followed = self._followed.get(key)
        if followed is None:
            return
        followed.listeners.discard(listener)
        if not followed.listeners:
            del self._followed[key]
            for cell in {HOME, followed.cell}:
                await self._ears[cell].leave(layer_messages.session_group(key))

    def session_pk(self, key: str) -> int | None:
        followed = self._followed.get(key)
        return followed.pk if followed else None

    async def aclose(self) -> None:
        await cancel_and_wait(*self._tasks)

    # The layers.

    async def _start(self) -> None:
        if HOME not in self._ears:
            self._listen_in(HOME)
            for work in (self._poll_forever, self._rejoin_forever, self.rights.run):
                self._spawn(work())
        await self._ears[HOME].tried.wait()

    def _listen_in(self, cell: str) -> Ear:
        if cell not in self._ears:
            ear = Ear(cell, groups=lambda: self._groups_in(cell), receive=self._hear)
            self._ears[cell] = ear
            self._spawn(ear.run())
        return self._ears[cell]

    def _groups_in(self, cell: str) -> list[str]:
        """Return the groups of a layer; at home are those of all sessions, for what people change in them."""
        if cell == HOME:
            return [layer_messages.RIGHTS, *map(layer_messages.session_group, self._followed)]
        return [layer_messages.session_group(key) for key, f in self._followed.items() if f.cell == cell]

    async def _listen_where_it_lives(self, followed: _Followed) -> None:
        """Hear the worker of a session that lives in a cell; it was not known before it began."""
        ear = self._listen_in(followed.cell)
        await ear.tried.wait()
        await ear.join(layer_messages.session_group(followed.key))
        await self._poll([followed.key])

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == layer_messages.RIGHTS_CHANGED:
            self.rights.receive_hint(message)
        elif followed := self._followed.get(message["key"]):
            self._receive_hint(followed, message)

    def _receive_hint(self, followed: _Followed, message: dict[str, Any]) -> None:
        try:
            self._receive(followed, message)
        except (TypeError, KeyError, ValueError) as error:
            # From a process of another version, while one after the other is being replaced.
            logger.warning("a message is not understood, so the database is asked: %r", error)
            self._spawn(self._poll([followed.key]))

    def _receive(self, followed: _Followed, message: dict[str, Any]) -> None:
        feed = followed.feed
        match message["type"]:
            case "session.commit":
                for line in layer_messages.lines_from(message):
                    feed.receive_line(line)
                feed.receive_progress(
                    received=message["received"],
                    durable=message["durable"],
                    last_seq=message.get("last_seq", 0),
                )
            case "session.partial":
                feed.receive_partial(layer_messages.partial_from(message))
            case "session.end":
                feed.receive_end(layer_messages.end_from(message))
            case "session.changed":
                self._spawn(self._poll([followed.key]))
                return
        self._catch_up(followed)
        _observe_ages(message)

    # The database.

    async def _poll_forever(self) -> None:
        while True:
            await asyncio.sleep(DATABASE_POLL_S)
            open_feeds = [key for key, f in self._followed.items() if not f.feed.has_ended]
            if open_feeds:
                await self._poll(open_feeds)

    async def _poll(self, keys: list[str]) -> None:
        try:
            numbers = await read_numbers(keys)
        except DatabaseError as error:
            logger.warning("the database cannot be read: %s", error)
            return
        for key, known in numbers.items():
            if followed := self._followed.get(key):
                self._receive_numbers(followed, known)

    async def look(self, key: str) -> None:
        """Read the numbers of a session now, which has just begun."""
        await self._poll([key])

    def _receive_numbers(self, followed: _Followed, known: queries.SessionNumbers) -> None:
        feed = followed.feed
        feed.receive_numbers(
            state=known.state,
            epoch=known.epoch,
            last_seq=known.last_seq,
            last_revision=known.last_revision,
            model_set=known.model_set,
            last_note=known.last_note,
            last_translation=known.last_translation,
            until=known.until,
        )
        feed.receive_progress(received=known.durable, durable=known.durable)
        if followed.pk != known.pk:  # it may have been withdrawn, and have come again
            followed.pk = known.pk
            if not feed.last_seq:
                feed.skip()  # a session that was there before us: its past is read on demand
        if known.cell != followed.cell and settings.REDIS_URL:
            followed.cell = known.cell
            self._spawn(self._listen_where_it_lives(followed))
        if known.end and not feed.end:
            feed.receive_end(known.end)
        self._catch_up(followed)

    def _catch_up(self, followed: _Followed) -> None:
        """Tell the listeners, after reading what the layer did not bring.

        Which session it is must be known as well: who may read it depends on that.
        """
        has_gap = followed.feed.has_gap
        if not has_gap:
            followed.tell()
        if (has_gap or followed.pk is None) and not followed.is_filling:
            followed.is_filling = True
            self._spawn(self._fill(followed))

    async def _fill(self, followed: _Followed) -> None:
        feed = followed.feed
        try:
            if followed.pk is None:
                await self._poll([followed.key])
            while followed.pk is not None and feed.has_gap:
                await self._read_missing(followed.pk, feed)
        except DatabaseError as error:
            logger.warning("the database cannot be read: %s", error)  # the next poll tries again
        finally:
            followed.is_filling = False
            followed.tell()

    async def _read_missing(self, session_pk: int, feed: SessionFeed) -> None:
        before = feed.last_seq, feed.last_revision
        lines = await read_lines(session_pk, feed.last_seq, limit=REMEMBERED)
        revisions = await read_revisions(session_pk, feed.last_revision, limit=REMEMBERED)
        for line in lines:
            feed.receive_line(line)
        for revision in revisions:
            feed.receive_revision(revision)
        if before == (feed.last_seq, feed.last_revision) or REMEMBERED in (len(lines), len(revisions)):
            # Too much to remember, or the number of a line that was removed: readers ask for themselves.
            feed.skip()

    async def _rejoin_forever(self) -> None:
        while True:
            await asyncio.sleep(REJOIN_S)
            for ear in list(self._ears.values()):
                await ear.rejoin()


def _observe_ages(message: dict[str, Any]) -> None:
    """Count how old the texts of a message are, now that they are written to the sockets of this process."""
    match message:
        case {"type": "session.partial", "heard_at": heard_at}:
            observe_age(partial_age, "written", heard_at)
        case {"type": "session.commit", "heard_at": heard_at}:
            for at in heard_at:
                observe_age(final_age, "written", at)


_fanouts: dict[asyncio.AbstractEventLoop, Fanout] = {}


def get_fanout() -> Fanout:
    """Return the fanout of this event loop."""
    loop = asyncio.get_running_loop()
    for closed in [known for known in _fanouts if known.is_closed()]:
        del _fanouts[closed]
    if loop not in _fanouts:
        _fanouts[loop] = Fanout()
    return _fanouts[loop]
