"""State of a live session in one process, so that its sockets need not ask the database. Pure.

The database is the truth and the group's messages are hints: they come late, twice or not at all. A feed puts
them in order and says what is missing. Each reader keeps two marks, the last line and the last revision that
it was sent, and takes what lies behind them; so no reader costs memory, however slowly it reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from recognition.audio import samples, seconds
from sessions_app.wire.protocol import (
    Ack,
    ClosedBy,
    ErrorCode,
    Flushed,
    Line,
    Message,
    NotesChange,
    PartialLine,
    ProtocolError,
    Revision,
    SessionEnd,
    StateChange,
)

REMEMBERED = 200
"""Latest lines and revisions that a feed keeps; readers further behind are served from the database."""

ACK_EVERY = samples(1)
"""Audio that is worth an acknowledgement."""


@dataclass(slots=True)
class SessionFeed:
    """One session, as this process knows it.

    `last_seq` and `last_revision` are the ends of what is known without a gap, `target_seq` and
    `target_revision` the highest numbers heard of. Where they differ, the database must be asked.
    """

    state: str = ""
    epoch: int = 0
    model_set: str = ""
    last_seq: int = 0
    target_seq: int = 0
    last_revision: int = 0
    target_revision: int = 0
    last_note: int = 0
    last_translation: int = 0
    received: int = 0
    durable: int = 0
    partial: PartialLine | None = None
    end: SessionEnd | None = None
    until: str = ""
    """See `StateChange.until`."""

    _lines: deque[Line] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _revisions: deque[Revision] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    # What was heard.

    def receive_line(self, line: Line) -> None:
        """Take a final: one that is known is ignored, one that leaves a gap only noted."""
        self.target_seq = max(self.target_seq, line.seq)
        if line.seq == self.last_seq + 1:
            self._lines.append(line)
            self.last_seq = line.seq
            self.partial = None

    def receive_revision(self, revision: Revision) -> None:
        """Take a change; numbers may be missing, where a line was changed again later."""
        self.target_revision = max(self.target_revision, revision.revision)
        if revision.revision > self.last_revision:
            self._revisions.append(revision)
            self.last_revision = revision.revision

    def receive_partial(self, partial: PartialLine) -> None:
        self.partial = partial

    def receive_numbers(
        self,
        *,
        state: str,
        epoch: int,
        last_seq: int,
        last_revision: int,
        model_set: str = "",
        last_note: int = 0,
        last_translation: int = 0,
        until: str = "",
    ) -> None:
        """Note the state and the numbers of the session in the database."""
        self.state, self.epoch, self.model_set, self.until = state, epoch, model_set, until
        self.target_seq = max(self.target_seq, last_seq)
        self.target_revision = max(self.target_revision, last_revision)
        self.last_note = max(self.last_note, last_note)
        self.last_translation = max(self.last_translation, last_translation)

    def receive_progress(self, *, received: int, durable: int, last_seq: int = 0) -> None:
        """Note the progress of recognition, and the number of the last line before `durable`."""
        self.target_seq = max(self.target_seq, last_seq)
        self.received = max(self.received, received)
        self.durable = max(self.durable, durable)

    def receive_end(self, end: SessionEnd) -> None:
        self.target_seq = max(self.target_seq, end.last_seq)
        self.end, self.partial = end, None

    def skip(self) -> None:
        """Give up remembering what is missing: readers get it from the database."""
        self._lines.clear()
        self._revisions.clear()
        self.last_seq, self.last_revision = self.target_seq, self.target_revision

    # What is known.

    @property
    def has_gap(self) -> bool:
        return self.target_seq > self.last_seq or self.target_revision > self.last_revision

    @property
    def has_ended(self) -> bool:
        """True when everything is known that there will be."""
        return self.end is not None and not self.has_gap

    def lines_after(self, seq: int) -> list[Line] | None:
        """Return the lines behind a mark, in order; None if not all of them are remembered."""
        if seq >= self.last_seq:
            return []
        if not self._lines or self._lines[0].seq > seq + 1:
            return None
        return [self._lines[at] for at in range(seq - self.last_seq, 0)]

    def revisions_after(self, revision: int) -> list[Revision] | None:
        """Return the changes behind a mark, in order; None if not all of them are remembered."""
        if revision >= self.last_revision:
            return []
        if not self._revisions or self._revisions[0].revision > revision + 1:
            return None
        return [change for change in self._revisions if change.revision > revision]


@dataclass(frozen=True, slots=True)
class Behind:
    """A reader needs from the database what lies behind these marks, up to what its feed knows."""

    seq: int
    revision: int


@dataclass(slots=True)
class Cursor:
    """Marks of one socket in a feed: the last that it has been told."""

    seq: int = 0
    revision: int = 0
    wants_events: bool = False
    """Version 2: partials, revisions, states."""

    translation: int | None = None
    """Number of the last translations; None for who wants none."""

    wants_acks: bool = False
    wants_end: bool = False
    """Whether it is told that the session has ended, and not only disconnected."""

    stays: bool = False
    """Whether it goes on after the end, to be told of corrections."""

    received: int = 0
    """Senders: end of the audio that came from them."""

    is_kept: bool = False
    """Senders: whether what was received need never be sent again, though it is not recognised yet."""

    max_untaken: int | None = None
    """How many lines it is sent until `release`; None for all."""

    flushes: list[int] = field(default_factory=list)
    """Senders: where utterances were to end, in order; told when all before is final."""

    is_done: bool = False
    """Nothing follows: its socket may be closed."""

    sends_once: bool = False
    """Senders: cannot send again what was lost, and do not compare what was received."""

    _knows_end: bool = False
    _partial: PartialLine | None = None
    _ack: Ack | None = None
    _state: StateChange | None = None
    _note: int = 0

    def take(self, feed: SessionFeed) -> list[Message] | Behind:
        """Take what to send now, in order, and move the marks; or say what the database must be asked for."""
        if feed.has_ended:
            self.release()
        if self.max_untaken == 0:
            return []
        lines = feed.lines_after(self.seq)
        revisions = feed.revisions_after(self.revision) if self.wants_events else []
        if lines is None or revisions is None:
            return Behind(self.seq, self.revision)
        messages: list[Message] = [*self.take_history(lines, revisions)]
        if self.wants_events:
            messages += self._take_events(feed)
        if not feed.has_gap and self.seq >= feed.last_seq:
            messages += self._take_flushes(feed)
        if feed.has_ended and not self._knows_end:
            self._knows_end = True
            self.is_done = not self.stays
            if self.wants_end and feed.end and not (self.is_done and self.error_at_end(feed.end)):
                messages.append(feed.end)
        return messages

    def error_at_end(self, end: SessionEnd) -> ProtocolError | None:
        """Return what its client is told in place of the confirmation; None if it is told that."""
        if end.has_failed:
            return ProtocolError(
                ErrorCode.RECOGNITION_FAILED,
                "recognition failed again and again: the session ended, its lines and its audio are kept",
            )
        if self.sends_once and end.closed_by == ClosedBy.ABSENCE:
            return ended_in_absence(end.received)
        return None

    def take_history(self, lines: Iterable[Line], revisions: Iterable[Revision]) -> list[Message]:
        """Take what the database had behind the marks, in order, and move them."""
        messages: list[Message] = []
        for line in lines:
            if line.seq > self.seq and self.max_untaken != 0:
                self.seq = line.seq
                messages.append(line)
                if self.max_untaken:
                    self.max_untaken -= 1
        for change in revisions:
            if change.revision > self.revision:
                self.revision = change.revision
                messages.append(change)
        return messages

    def translations_due(self, feed: SessionFeed) -> tuple[int, int] | None:
        """Return behind which number, and up to which, translations are to be told; None if none are.

        They are read from the database for it, and of no line that it has not been told yet.
        """
        if self.translation is None or feed.last_translation <= self.translation or self.seq < feed.last_seq:
            return None
        return self.translation, feed.last_translation

    def release(self) -> None:
        """Lift the limit on lines: the client takes what it is sent from now on."""
        self.max_untaken = None

    def _take_events(self, feed: SessionFeed) -> Iterable[Message]:
        state = StateChange("ended") if feed.has_ended else StateChange(feed.state, feed.until)
        if state.state and state != self._state:
            self._state = state
            yield state
        if feed.last_note > self._note:
            self._note = feed.last_note
            yield NotesChange(feed.last_note)
        if self.wants_acks:
            yield from self._acknowledge(feed)
        if feed.partial is not self._partial:
            self._partial = feed.partial
            if feed.partial:
                yield feed.partial

    def _take_flushes(self, feed: SessionFeed) -> list[Message]:
        done = [position for position in self.flushes if position <= feed.durable]
        self.flushes = self.flushes[len(done) :]
        return [Flushed(position, feed.last_seq) for position in done]

    def _acknowledge(self, feed: SessionFeed) -> Iterable[Ack]:
        ack = Ack(self.received, self.received if self.is_kept else feed.durable)
        last = self._ack or Ack(0, 0)
        progress = max(ack.received - last.received, ack.durable - last.durable)
        if progress >= ACK_EVERY or (feed.has_ended and ack != last):
            self._ack = ack
            yield ack


def ended_in_absence(position: int) -> ProtocolError:
    """Return the error for a sender that was away for too long, and compares nothing."""
    return ProtocolError(
        ErrorCode.SESSION_ENDED,
        f"the session ended at {seconds(position):.1f} s, while its sender was away: what followed is lost",
    )
