"""Between the sockets and the workers: the audio of live sessions, and who sends and who recognises it.

`Transport` is what the consumers and the recognition worker rely on; `memory` serves one process. Only
the transport differs between a laptop and many machines: state machines, worker and consumers are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from recognition.audio import samples

CREDIT = samples(4)
"""Audio that may wait for recognition before its sender is held back."""

REPLAY = samples(60)
"""Audio that may wait to be durable; more than the longest utterance and its recognition."""

SENDER_SILENCE_S = 10.0
"""After this long without audio, another sender may take the place of one that is still connected."""

SAMPLE_BYTES = 4


class SenderConflict(Exception):
    """Another sender is connected and alive."""


class Superseded(Exception):
    """Another sender has taken this one's place."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a session's audio log."""

    start: int
    audio: bytes
    """float32, little endian; empty when nothing came in time."""

    is_end: bool
    """Whether the sender has said that nothing follows."""

    @property
    def end(self) -> int:
        return self.start + len(self.audio) // SAMPLE_BYTES


class Transport(Protocol):
    """Positions are samples from the start of the session; sessions go by their primary key."""

    # Senders.

    async def open(self, session: int, sender: str, *, durable: int, may_take_over: bool) -> int:
        """Become the session's one sender; the session is offered to the workers if none has it.

        Args:
            sender: Names this connection.
            durable: Where the log begins if the session is new to it.
            may_take_over: Whether a sender that is alive is replaced.

        Returns:
            The end of the audio in the log: where to go on.

        Raises:
            SenderConflict: If another sender is alive and may not be replaced.
        """
        ...

    async def append(self, session: int, sender: str, audio: bytes) -> int:
        """Add audio to the end of the log; waits while too much of it is not recognised yet.

        Returns:
            The end of the log.

        Raises:
            Superseded: If another sender has the session.
        """
        ...

    async def finish(self, session: int, sender: str) -> None:
        """Say that nothing follows. Idempotent.

        Raises:
            Superseded: If another sender has the session.
        """
        ...

    async def leave(self, session: int, sender: str) -> None:
        """The sender's socket is gone; it may come back."""
        ...

    # Workers.

    async def offer(self, session: int, *, durable: int) -> None:
        """Make a session known that needs a worker, if none has it; its sender is away."""
        ...

    async def take(self) -> int:
        """Wait for a session that needs a worker, and own it."""
        ...

    async def has_workers(self) -> bool:
        """Whether any worker waits for sessions."""
        ...

    async def read(self, session: int, position: int, *, timeout_s: float) -> Stretch:
        """The audio from a position on, as much as is there; waits for some."""
        ...

    async def report(self, session: int, *, processed: int, durable: int) -> None:
        """Say how far recognition is: frees the sender, and what is durable may be forgotten."""
        ...

    async def sender_gone_s(self, session: int) -> float:
        """How long the session has been without a sender; 0 while there is one."""
        ...

    async def release(self, session: int) -> None:
        """The session has ended; forget it."""
        ...

    async def give_up(self, session: int) -> None:
        """This worker stops; another shall take the session."""
        ...


@cache
def get_transport() -> Transport:
    """The transport of this process."""
    from .memory import MemoryTransport

    return MemoryTransport()
