"""Reads of the database, for more than one view or socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Greatest

from recognition.audio import milliseconds
from recognition.writing.changes import from_columns, shown
from sessions_app.cells.placement import HOME
from sessions_app.models import MAX_FAILURES, Overlap, Session, Upload, Utterance
from sessions_app.wire.protocol import ClosedBy, Line, OverlapRef, Revision, Rewrite, SessionEnd, SpeakerRef
from speakers.models import Speaker


@dataclass(frozen=True, slots=True)
class SessionNumbers:
    """The progress of a session."""

    pk: int
    key: str
    state: str
    epoch: int
    failures: int
    durable: int
    last_seq: int
    last_revision: int
    model_set: str
    last_note: int = 0
    last_translation: int = 0
    closed_by: str = ""
    awaited_until: datetime | None = None
    cell: str = HOME

    @property
    def end(self) -> SessionEnd | None:
        """Return the confirmation for the sender; None while the session goes on."""
        if self.state != Session.State.ENDED:
            return None
        return SessionEnd(self.last_seq, self.durable, self.durable, closed_by=self._cause())

    @property
    def until(self) -> str:
        """Return for how long its sender is waited for; see `Session.until`."""
        return self.awaited_until.isoformat(timespec="seconds") if self.awaited_until else ""

    def _cause(self) -> ClosedBy:
        if self.closed_by:
            return ClosedBy(self.closed_by)
        # It ended before causes were noted.
        return ClosedBy.FAILURE if self.failures >= MAX_FAILURES else ClosedBy.SENDER


def session_numbers(keys: Iterable[str]) -> dict[str, SessionNumbers]:
    """Read the progress of these sessions, by key, as far as they exist and are not in the trash."""
    fields = (
        "pk", "key", "state", "epoch", "failures", "durable", "last_seq", "last_revision", "model_set",
        "last_note", "last_translation", "closed_by", "awaited_until", "cell",
    )  # fmt: skip
    rows = Session.objects.filter(key__in=list(keys), trashed_at=None).values_list(*fields)
    return {row[1]: SessionNumbers(*row) for row in rows}


def lines_after(session_pk: int, seq: int, *, limit: int) -> list[Line]:
    """Read the finals behind this number, as they are now, in order."""
    lines = Utterance.objects.filter(session=session_pk, seq__gt=seq, is_removed=False)
    return [as_line(row) for row in with_voices(lines).order_by("seq")[:limit]]


def revisions_after(session_pk: int, revision: int, *, limit: int) -> list[Revision]:
    """Read the lines changed behind this number, as they are now, in order of their last change."""
    lines = Utterance.objects.filter(session=session_pk, revision__gt=revision)
    rows = with_voices(lines).order_by("revision")[:limit]
    return [Revision(row.revision, as_line(row), row.is_removed) for row in rows]


OVERLAPS = Prefetch("overlaps", Overlap.objects.select_related("voice__speaker"))
"""The speech of others during lines, with who they are."""


def with_voices(lines: QuerySet[Utterance]) -> QuerySet[Utterance]:
    """Load all voices of lines with them: `as_line` tells who they are."""
    return lines.select_related("voice__speaker").prefetch_related(OVERLAPS)


def as_line(utterance: Utterance) -> Line:
    """Return a line as clients get it; it should be read `with_voices`."""
    voice = utterance.voice
    spoken = (
        SpeakerRef(
            speaker_id=voice.public_id,
            speaker_name=voice.name,
            score=utterance.score,
            is_enrolled=voice.speaker_id is not None,
            number=None if voice.speaker_id else voice.number,
        )
        if voice
        else SpeakerRef()
    )
    return Line(
        line_id=utterance.pk,
        seq=utterance.seq or 0,
        start_ms=milliseconds(utterance.start),
        end_ms=milliseconds(utterance.end),
        spoken=spoken,
        overlaps=tuple(_overlaps(utterance)),
        changes=_changes(utterance),
        **{name: getattr(utterance, name) for name in _SAME_NAMES},
    )


_OTHER_NAMES = ("line_id", "seq", "start_ms", "end_ms", "spoken", "overlaps", "changes", "words")
_SAME_NAMES = [field.name for field in fields(Line) if field.name not in _OTHER_NAMES]
"""Fields of a line that are columns of an utterance as they are."""


def _overlaps(utterance: Utterance) -> Iterator[OverlapRef]:
    """Yield who else speaks in the time of a line: of a voice that turned out to be its own, nothing."""
    own = utterance.voice.public_id if utterance.voice else ""
    for overlap in utterance.overlaps.all():
        voice = overlap.voice
        if overlap.start < utterance.end and overlap.end > utterance.start and voice.public_id != own:
            yield OverlapRef(
                speaker_id=voice.public_id,
                speaker_name=voice.name,
                start_ms=milliseconds(overlap.start),
                end_ms=milliseconds(overlap.end),
                number=None if voice.speaker_id else voice.number,
            )


def _changes(utterance: Utterance) -> tuple[Rewrite, ...]:
    """Return what is written otherwise than it was heard, as far as it stands where it was written."""
    standing = shown(utterance.text, from_columns(utterance.rewrites))
    return tuple(Rewrite(each.begin, each.stop, each.heard, by_rule=each.rule > 0) for each in standing)


def expected_in(session_pk: int) -> list[str]:
    """Read the ids of those who are expected in a session, by name."""
    expected = Speaker.objects.filter(expected_in=session_pk).order_by("name", "pk")
    return [str(key) for key in expected.values_list("uuid", flat=True)]


def unfinished_sessions(cell: str | None = None) -> list[tuple[int, int, str]]:
    """Read the sessions of a cell, or of all, that have not ended: (primary key, where to go on, model set).

    Those of files are left out: who has the file has the session.
    """
    unfinished = Session.objects.exclude(state=Session.State.ENDED).filter(upload=None)
    if cell is not None:
        unfinished = unfinished.filter(cell=cell)
    return list(unfinished.values_list("pk", Greatest("durable", "recorded"), "model_set"))


def is_from_file(session_pk: int) -> bool:
    """Tell whether a session is transcribed from a file."""
    return Upload.objects.filter(session=session_pk).exists()


def ended_among(sessions: Iterable[int]) -> list[int]:
    """Read those of these sessions that have ended."""
    ended = Session.objects.filter(pk__in=list(sessions), state=Session.State.ENDED)
    return list(ended.values_list("pk", flat=True))
