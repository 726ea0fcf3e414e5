"""Between the sockets and the workers: the audio of live sessions, and who sends and who recognises it.

`Transport` is what the consumers and the recognition worker rely on; `memory` serves one process, `redis`
any number on any number of machines. Only the transport differs between a laptop and a cluster: state
machines, worker and consumers are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from recognition.audio import samples
from sessions_app.cells.placement import HOME
from sessions_app.exceptions import SessionsError

CREDIT = samples(4)
"""Audio that may wait for recognition before a sender is held back that is faster than speech. Of one that is
not, all is taken up to `REPLAY`: what waits in its socket is lost with the process that has it open."""

REPLAY = samples(60)
"""Audio that may wait to be durable; more than the longest utterance and its recognition."""

SENDER_SILENCE_S = 10.0
"""After this long without audio, another sender may take the place of one that is still connected."""

SAMPLE_BYTES = 4


def has_room(end: int, *, processed: int, durable: int, spoken: int = 0) -> bool:
    """Tell whether a log that ends here takes more audio. All are positions, in samples.

    Args:
        spoken: Where a sender at the pace of speech would be: it is not held back while recognition stands.
    """
    return end - max(processed, spoken) < CREDIT and end - durable < REPLAY


class TransportError(SessionsError):
    """Base of the reasons why audio cannot be passed on."""


class SenderConflict(TransportError):
    """Another sender is connected and alive."""


class Superseded(TransportError):
    """Another sender has taken this one's place."""


class LogLost(TransportError):
    """The log is not what this sender left: it must be opened anew, and goes on at another place."""


class AudioFinished(TransportError):
    """The session's sender has said that nothing follows."""

    def __init__(self, position: int) -> None:
        super().__init__(f"the audio has ended at {position}")
        self.position = position


class Overloaded(TransportError):
    """No worker has room for another session, or none has its models."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


def without_models(model_set: str) -> str:
    """Return what a sender is told whose session no worker can recognise."""
    return f"no recogniser has the model set {model_set} at present"


class Unreachable(TransportError):
    """The holder of the logs does not answer."""


class Fenced(TransportError):
    """Another worker owns the session; this one must stop."""


@dataclass(frozen=True, slots=True)
class WorkerNote:
    """A worker that takes sessions, as it told of itself."""

    name: str
    """Empty for the one in this process."""

    capacity: int
    model_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of a session's audio log."""

    start: int
    audio: bytes
    """float32, little endian; empty when nothing came in time."""

    is_end: bool
    """Whether the sender has said that nothing follows."""

    is_flush: bool = False
    """Whether the utterance is to end at its end."""

    @property
    def end(self) -> int:
        return self.start + len(self.audio) // SAMPLE_BYTES


class SenderListener(Protocol):
    """The socket of a sender. Called on its event loop; must return at once."""

    def audio_kept(self, position: int) -> None:
        """Hear that all audio up to here is in the log."""
        ...

    def sender_lost(self, why: Superseded | LogLost) -> None:
        """Hear that this sender can append no more; not for what `append` and `finish` raise themselves."""
        ...


class AudioLog(Protocol):
    """A worker's side of the audio of sessions that it recognises; positions are samples."""

    @property
    def keeps_audio(self) -> bool:
        """Tell whether the audio outlives this process."""
        ...

    async def read(
        self, session_pk: int, position: int, *, timeout_s: float, after_flush: bool = False
    ) -> AudioChunk:
        """Read as `Transport.read`."""
        ...

    async def report(self, session_pk: int, *, processed: int, durable: int) -> None:
        """Say how far recognition is, as `Transport.report`."""
        ...

    async def sender_gone_s(self, session_pk: int) -> float:
        """Return as `Transport.sender_gone_s`."""
        ...

    async def release(self, session_pk: int) -> None:
        """Forget a session that has ended."""
        ...

    async def give_up(self, session_pk: int) -> None:
        """Leave the session to another worker."""
        ...


class Transport(Protocol):
    """Positions are samples from the start of the session; sessions go by their primary key."""

    cell: str | None
    """Of this process's workers; None if there are no several."""

    keeps_audio: bool
    """Whether the log outlives all our processes, so that a sender need never send again what it holds."""

    # Senders.

    async def open(
        self,
        session_pk: int,
        sender: str,
        *,
        durable: int,
        may_take_over: bool,
        attempt: int = 0,
        listener: SenderListener,
        model_set: str = "",
        cell: str = HOME,
    ) -> int:
        """Become the session's one sender; the session is offered to the workers if none has it.

        Args:
            sender: Names this connection.
            durable: Where the log begins if the session is new to it.
            may_take_over: Whether a sender that is alive is replaced.
            attempt: Number of this connection among those of its client, which grows; 0 if it counts none.
            model_set: The session's; only workers that have it take the session.
            cell: Where the session lives.

        Returns:
            The end of the audio in the log: where to go on.

        Raises:
            SenderConflict: If another sender is alive and may not be replaced.
            Superseded: If a later attempt of the same client is known: this one was on its way for long.
            AudioFinished: If a sender has finished.
            Overloaded: If the session is new and no worker has its models and room for it.
            Unreachable: If it is not known.
        """
        ...

    async def append(self, session_pk: int, sender: str, audio: bytes) -> int:
        """Add audio to the end of the log; waits while too much of it is not recognised yet.

        It may return before the audio is in the log: the listener is told when it is.

        Returns:
            What the end of the log will be then.

        Raises:
            Superseded: If another sender has the session.
            LogLost: If the log must be opened anew; what was not kept is still on its way, if it is opened
                by the same sender.
        """
        ...

    async def flush(self, session_pk: int, sender: str) -> int:
        """End the utterance where the log ends, when all is in it. Twice at one place is once.

        Returns:
            That position.

        Raises:
            Superseded, LogLost: As for `append`.
        """
        ...

    async def finish(self, session_pk: int, sender: str) -> None:
        """Say that nothing follows, when all is in the log. Idempotent.

        Raises:
            Superseded, LogLost: As for `append`.
        """
        ...

    async def leave(self, session_pk: int, sender: str) -> None:
        """Note that a sender is gone, who may come back; return when all that was sent is in the log."""
        ...

    # Workers.

    async def join_workers(self, capacity: int, *, model_sets: Sequence[str] = ("",)) -> None:
        """Take sessions of these sets in this process from now on, so many at a time."""
        ...

    async def leave_workers(self) -> None:
        """Take no more sessions in this process; those it has it keeps."""
        ...

    async def has_workers(self, model_set: str | None = None) -> bool:
        """Tell whether any worker takes sessions: of this set, or at all."""
        ...

    async def workers(self) -> list[WorkerNote]:
        """Return the workers that take sessions, by name."""
        ...

    async def offer(self, session_pk: int, *, durable: int, model_set: str = "") -> None:
        """Make a session known that needs a worker, if none has it; its sender is away."""
        ...

    async def take(self) -> int:
        """Wait for a session that needs a worker, and for room for it; own it."""
        ...

    async def read(
        self, session_pk: int, position: int, *, timeout_s: float, after_flush: bool = False
    ) -> AudioChunk:
        """Return the audio from a position on, as much as is there up to the next flush; wait for some.

        Args:
            after_flush: Whether a flush at this very position is known already.

        Raises:
            Fenced: If this process does not own the session.
        """
        ...

    async def report(self, session_pk: int, *, processed: int, durable: int) -> None:
        """Say how far recognition is: frees the sender, and what is durable may be forgotten.

        Raises:
            Fenced: If this process does not own the session.
        """
        ...

    async def sender_gone_s(self, session_pk: int) -> float:
        """Return for how long the session has been without a sender; 0 while there is one.

        Raises:
            Fenced: If this process does not own the session.
        """
        ...

    async def release(self, session_pk: int) -> None:
        """Forget a session that has ended. Does nothing if another worker owns it."""
        ...

    async def give_up(self, session_pk: int) -> None:
        """Leave the session to another worker. Does nothing if one has taken it already."""
        ...

    async def aclose(self) -> None: ...
