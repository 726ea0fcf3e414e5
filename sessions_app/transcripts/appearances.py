"""Appearances of people in meetings: how much they said there, and a piece of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum

from recognition.audio import seconds
from sessions_app.models import Overlap, Session, Utterance, Voice
from speakers.models import Speaker


@dataclass(frozen=True, slots=True)
class Appearance:
    """A meeting in which somebody spoke."""

    session: Session
    line_count: int
    speech_s: float
    excerpt: Utterance
    """The longest line."""


def meetings_of(speaker: Speaker, sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Select the meetings in which somebody spoke, the newest first."""
    said = Utterance.objects.filter(voice__speaker=speaker, is_removed=False)
    return sessions.filter(pk__in=said.values("session")).order_by("-created_at", "-pk")


def appearances(speaker: Speaker, meetings: Iterable[Session]) -> list[Appearance]:
    """Return what somebody said in these meetings, in three queries however many they are."""
    said = Utterance.objects.filter(voice__speaker=speaker, is_removed=False)
    longest = said.filter(session=OuterRef("session")).order_by(F("start") - F("end"), "pk").values("pk")[:1]
    rows = (
        said.filter(session__in=[meeting.pk for meeting in meetings])
        .order_by()
        .values("session")
        .annotate(lines=Count("pk"), spoken=Sum(F("end") - F("start")), excerpt=Subquery(longest))
    )
    told = {row["session"]: row for row in rows}
    more = _spoken_during_others(speaker, told)
    excerpts = Utterance.objects.defer("tokens").in_bulk([row["excerpt"] for row in told.values()])
    return [
        Appearance(meeting, row["lines"], seconds(row["spoken"] + more[meeting.pk]), excerpts[row["excerpt"]])
        for meeting in meetings
        if (row := told.get(meeting.pk))
    ]


def _spoken_during_others(speaker: Speaker, meetings: Iterable[int]) -> Counter[int]:
    """Return how long somebody spoke without words of their own, by meeting."""
    own = Overlap.objects.filter(voice__speaker=speaker, utterance__session__in=list(meetings))
    spans = (
        own.filter(utterance__is_removed=False).order_by().values_list("utterance__session", "start", "end")
    )
    found: Counter[int] = Counter()
    for meeting, start, end in spans.distinct():  # a line that was cut in two has them twice
        found[meeting] += end - start
    return found


def meeting_counts(speakers: Iterable[Speaker], sessions: QuerySet[Session]) -> dict[int, int]:
    """Return, by their keys, in how many meetings people have a voice."""
    voices = Voice.objects.filter(speaker__in=[speaker.pk for speaker in speakers], session__in=sessions)
    rows = voices.order_by().values("speaker").annotate(count=Count("session", distinct=True))
    return {row["speaker"]: row["count"] for row in rows}


def line_count(speaker: Speaker) -> int:
    """Return how many lines bear somebody's name, in all meetings."""
    return Utterance.objects.filter(voice__speaker=speaker, is_removed=False).count()
