"""Meetings that are running, as cards with what was said last.

Pages ask for them again and again, so they cost four queries, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F, QuerySet

from sessions_app.models import Session, Utterance, Voice

from .talk_picture import voice_colours

RUNNING = [state for state in Session.State if state != Session.State.ENDED]
"""Named one by one, so that the database looks them up."""

MAX_CARDS = 12
LINES = 4
"""Lines that a card holds; a page shows as many of them as it has room for."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line on a card."""

    who: str
    """Empty where nobody knows."""

    colour: int
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A meeting that is running."""

    session: Session
    lines: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Running:
    """The meetings that are running."""

    cards: Sequence[Card]
    more: int
    """Those that there is no room for."""

    newest: int | None = None
    """The primary key of the newest that is over: one may begin and end while nobody asks."""


def read(sessions: QuerySet[Session]) -> Running:
    """Read what is running of these sessions, the newest first."""
    live = list(sessions.filter(state__in=RUNNING).order_by("-pk"))
    over = sessions.filter(state=Session.State.ENDED).order_by("-pk")
    newest = over.values_list("pk", flat=True).first()
    if not live:
        return Running([], 0, newest)
    shown = live[:MAX_CARDS]
    lines = _latest_lines(shown)
    colours = _colours(shown)
    cards = [Card(row, [_said(line, colours[row.pk]) for line in lines.get(row.pk, [])]) for row in shown]
    return Running(cards, len(live) - len(shown), newest)


def _latest_lines(sessions: Iterable[Session]) -> dict[int, list[Utterance]]:
    latest = Utterance.objects.filter(
        session__in=[session.pk for session in sessions],
        seq__gt=F("session__last_seq") - LINES,
        is_removed=False,
    )
    found: dict[int, list[Utterance]] = {}
    for line in latest.select_related("voice__speaker").defer("tokens", "machine_text").order_by("seq"):
        found.setdefault(line.session_id, []).append(line)
    return found


def _colours(sessions: Iterable[Session]) -> dict[int, dict[str, int]]:
    ids: dict[int, list[str]] = {session.pk: [] for session in sessions}
    voices = Voice.objects.filter(session__in=list(ids)).select_related("speaker").order_by("id")
    for voice in voices:
        ids[voice.session_id].append(voice.public_id)
    return {pk: voice_colours(speakers) for pk, speakers in ids.items()}


def _said(line: Utterance, colours: dict[str, int]) -> Said:
    if line.voice is None:
        return Said("", 0, line.text)
    return Said(line.voice.name, colours.get(line.voice.public_id, 0), line.text)
