"""Audio that the senders of one process have sent and Redis does not have yet.

All of them share one request every few hundredths of a second: it is requests that cost, not bytes. The same
requests say that the senders are still there, and bring back how far recognition is.

The last seconds are kept here though Redis has said that it has them: a replica that becomes the master may
not have got them yet. It shows by where its log ends, and then they are appended once more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from recognition.audio import samples, seconds
from sessions_app import pacing

from .cancel import cancel_and_wait
from .interface import SAMPLE_BYTES, LogLost, SenderListener, Superseded, has_room
from .scripts import REDIS_RETRY_S, Call, audio_key, read_script, run_all, session_key

logger = logging.getLogger(__name__)

SENDER_LEASE_S = 1.5
"""A sender counts as connected for so long after its process was last heard of."""

RENEW_S = SENDER_LEASE_S / 3

KEPT = samples(5)
"""Audio that Redis has and that is kept all the same: more than replicas are behind when all is well."""

APPEND, FINISH = read_script("append"), read_script("finish")


@dataclass(slots=True, eq=False)
class PendingAudio:
    """One sender of this process: where its log ends, and what is on its way there."""

    session_pk: int
    sender: str
    listener: SenderListener
    end: int = 0
    processed: int = 0
    durable: int = 0
    paced_from: float = 0.0
    """When one at the pace of speech would have sent the first sample."""

    renew_at: float = 0.0
    is_held: bool = False
    turn: int = 0
    """A number that grows with each sender of the session."""

    has_finished: bool = False
    owes_end: bool = False
    """Whether the mark of the end must be set again: it was, and Redis has forgotten."""

    failure: Superseded | LogLost | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _batch: bytes = b""  # asked for and not answered: it must be asked for again in the same words
    _waiting: list[bytes] = field(default_factory=list)
    _waiting_bytes: int = 0
    _kept: deque[bytes] = field(default_factory=deque)  # up to `end`, the oldest first
    _kept_bytes: int = 0

    @property
    def expected_end(self) -> int:
        return self.end + (len(self._batch) + self._waiting_bytes) // SAMPLE_BYTES

    def has_room(self, now: float) -> bool:
        """Tell whether more may be taken now."""
        spoken = samples(now - self.paced_from)
        return has_room(self.expected_end, processed=self.processed, durable=self.durable, spoken=spoken)

    @property
    def is_flushed(self) -> bool:
        return not self._batch and not self._waiting

    def add(self, audio: bytes) -> None:
        self._waiting.append(audio)
        self._waiting_bytes += len(audio)

    def is_due(self, now: float) -> bool:
        return self.failure is None and (not self.is_flushed or self.is_held or now >= self.renew_at)

    def request(self) -> Call:
        if not self._batch:
            self._batch = b"".join(self._waiting)
            self._waiting, self._waiting_bytes = [], 0
        count = len(self._batch) // SAMPLE_BYTES
        arguments = (self.sender, self.turn, self.end, count, int(SENDER_LEASE_S * 1000), self._batch)
        return Call(APPEND, self._keys, arguments)

    def end_request(self) -> Call:
        return Call(FINISH, self._keys, (self.sender, self.turn, self.end))

    @property
    def _keys(self) -> tuple[str, str]:
        return session_key(self.session_pk), audio_key(self.session_pk)

    def receive(self, answer: list[bytes | int], now: float) -> None:
        match answer:
            case [b"ok", int(end), int(processed), int(durable), int(is_finished)]:
                # A master that knows less than the one before it holds nobody back.
                self.processed, self.durable = max(self.processed, processed), max(self.durable, durable)
                self.renew_at = now + RENEW_S
                self.owes_end = self.has_finished and not is_finished
                if self._batch:
                    self._keep(self._batch)
                    self._batch, self.end = b"", end
                    self.listener.audio_kept(end)
            case [b"behind", int(end)] if self.rewind(end):
                logger.warning(
                    "session %d: Redis lacks audio since %d, it gets it again", self.session_pk, end
                )
            case [b"superseded"]:
                self._fail(Superseded())
            case _:
                self._fail(LogLost())
        self.changed.set()

    def rewind(self, end: int) -> bool:
        """Go back to where the log ends, if all that it lacks is here; tell whether it is."""
        is_here = 0 <= self.end - end <= self._kept_bytes // SAMPLE_BYTES
        if is_here:
            self._go_back(end)
        return is_here

    def reopen(self, end: int, processed: int, durable: int, now: float, *, turn: int = 0) -> None:
        """Begin or go on here; what was on its way still is, as is what the log lacks and was kept."""
        self._go_back(end)
        self.paced_from, self.renew_at = now - seconds(end), now + RENEW_S
        self.processed, self.durable, self.turn = processed, durable, turn
        self.failure = None

    def _go_back(self, end: int) -> None:
        missing = max(0, self.end - end) * SAMPLE_BYTES
        kept = b"".join(self._kept)
        again = kept[max(0, len(kept) - missing) :] + self._batch
        if again:
            self._waiting.insert(0, again)
            self._waiting_bytes += len(again)
        self._kept.clear()
        self._batch, self._kept_bytes, self.end = b"", 0, end

    def _keep(self, audio: bytes) -> None:
        """Keep audio that ends where the log is to end now, and let go of what is safe by now."""
        self._kept.append(audio)
        self._kept_bytes += len(audio)
        while self._kept and self._is_safe(len(self._kept[0])):
            self._kept_bytes -= len(self._kept.popleft())

    def _is_safe(self, first_bytes: int) -> bool:
        """Tell whether the oldest piece is durable, or old enough."""
        later = (self._kept_bytes - first_bytes) // SAMPLE_BYTES
        end = self.end + len(self._batch) // SAMPLE_BYTES
        return later >= KEPT or end - later <= self.durable

    def _fail(self, why: Superseded | LogLost) -> None:
        self.failure = why
        self.listener.sender_lost(why)


class Outbox:
    """Writes for the senders of this process; belongs to one event loop."""

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._pending: dict[tuple[int, str], PendingAudio] = {}
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    def begin(
        self,
        session_pk: int,
        sender: str,
        listener: SenderListener,
        *,
        end: int,
        processed: int,
        durable: int,
        turn: int = 0,
    ) -> None:
        """Let a sender append that has the right to."""
        pending = self._pending.setdefault((session_pk, sender), PendingAudio(session_pk, sender, listener))
        pending.reopen(end, processed, durable, self._clock(), turn=turn)
        self._wake.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_forever(), name="outbox")

    def forget(self, session_pk: int, sender: str) -> None:
        self._pending.pop((session_pk, sender), None)

    async def append(self, session_pk: int, sender: str, audio: bytes) -> int:
        """Append as `Transport.append`."""
        pending = self._find(session_pk, sender)
        pending.is_held = not pending.has_room(self._clock())
        try:
            await self._wait(pending, lambda: pending.has_room(self._clock()))
        finally:
            pending.is_held = False
        pending.add(audio)
        self._wake.set()
        return pending.expected_end

    async def flushed(self, session_pk: int, sender: str) -> PendingAudio:
        """Wait until all that this sender sent is in the log. Raises as `append`."""
        pending = self._find(session_pk, sender)
        await self._wait(pending, lambda: pending.is_flushed)
        return pending

    async def aclose(self) -> None:
        if self._writer:
            await cancel_and_wait(self._writer)

    def _find(self, session_pk: int, sender: str) -> PendingAudio:
        pending = self._pending.get((session_pk, sender))
        if pending is None:
            raise Superseded
        return pending

    async def _wait(self, pending: PendingAudio, condition: Callable[[], bool]) -> None:
        while pending.failure is None and not condition():
            self._wake.set()
            pending.changed.clear()
            await pending.changed.wait()
        if pending.failure:
            raise pending.failure

    async def _write_forever(self) -> None:
        loop = asyncio.get_running_loop()
        earliest = 0.0
        while True:
            try:
                async with asyncio.timeout(RENEW_S / 2):
                    await self._wake.wait()
                await asyncio.sleep(max(pacing.APPEND_COLLECT_S, earliest - loop.time()))
            except TimeoutError:
                pass
            self._wake.clear()
            earliest = loop.time() + pacing.APPEND_INTERVAL_S
            await self._write()

    async def _write(self) -> None:
        due = [pending for pending in self._pending.values() if pending.is_due(self._clock())]
        if not due:
            return
        try:
            answers = await run_all(self._redis, [pending.request() for pending in due])
        except RedisError as error:
            logger.warning("audio of %d senders waits for Redis: %s", len(due), error)
            await asyncio.sleep(REDIS_RETRY_S)
            self._wake.set()
            return
        for pending, answer in zip(due, answers, strict=True):
            pending.receive(answer, self._clock())
        await self._end_again([pending for pending in due if pending.owes_end and pending.is_flushed])
        if any(pending.is_held for pending in due):
            self._wake.set()

    async def _end_again(self, owing: list[PendingAudio]) -> None:
        """Set marks of ends that Redis has forgotten; those that fail are owed still, by the next answer."""
        if not owing:
            return
        try:
            await run_all(self._redis, [pending.end_request() for pending in owing])
        except RedisError as error:
            logger.warning("the ends of %d sessions wait for Redis: %s", len(owing), error)
