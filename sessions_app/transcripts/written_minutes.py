"""Minutes as they stand in files: headings, with a row for each statement; to-dos as a calendar's tasks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from icalendar import Calendar, Todo

from sessions_app.minutes.reading import Item, MinutesOfMeeting
from sessions_app.models import MinutesItem
from sessions_app.templatetags.durations import clock
from sessions_app.wire.untrusted import one_line

_TASKS = uuid.UUID("6c1b5c0e-8a52-4d5c-9a0e-0a4f6f3a2d11")
"""Namespace of the ids of tasks: the same task, taken again, is the same in a calendar."""


@dataclass(frozen=True, slots=True)
class Row:
    """A statement."""

    text: str
    at_s: float | None
    """Where it was said; None where no line carries it."""

    who: str = ""
    due: str = ""
    is_done: bool | None = None
    """None of what is no task."""

    line: int | None = None
    """The key of the first line that carries it."""

    @property
    def time(self) -> str:
        return clock(self.at_s) if self.at_s is not None else ""

    @property
    def facts(self) -> str:
        """Return who does it, and by when."""
        return _(", ").join(part for part in (self.who, self.due) if part)

    @property
    def box(self) -> str:
        return {None: "", True: "☑ ", False: "☐ "}[self.is_done]

    @property
    def in_words(self) -> str:
        """Return all of it in a line of text."""
        facts = f" ({self.facts})" if self.facts else ""
        return f"{self.box}{f'{self.time} ' if self.time else ''}{self.text}{facts}"


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the minutes."""

    heading: str
    rows: Sequence[Row]


def parts(minutes: MinutesOfMeeting | None) -> list[Part]:
    """Return the sections that have something; days and figures are for the page alone."""
    if minutes is None:
        return []
    section = MinutesItem.Section
    headings = [
        (section.SUMMARY, _("Summary")),
        (section.DECISION, _("Decisions")),
        (section.ACTION, _("To do")),
        (section.CHAPTER, _("Chapters")),
        (section.QUESTION, _("Questions asked")),
    ]
    found = [Part(heading, [_row(item) for item in minutes.of(kind)]) for kind, heading in headings]
    words = one_line(_(", ").join(word.word for word in minutes.key_words))
    key_words = [Part(_("Key words"), [Row(words, None)])] if words else []
    return [*key_words, *(part for part in found if part.rows)]


def _row(item: Item) -> Row:
    is_task = item.section == MinutesItem.Section.ACTION
    has_who = is_task or item.section == MinutesItem.Section.QUESTION
    return Row(
        text=one_line(item.text),
        at_s=item.at_ms / 1000 if item.lines else None,
        who=one_line(item.who.name) if item.who and has_who else "",
        due=_due(item) if is_task else "",
        is_done=item.is_done if is_task else None,
        line=item.lines[0][0] if item.lines else None,
    )


def _due(item: Item) -> str:
    """Return the day of a task, with what was said of it."""
    said = one_line(item.until)
    if not item.due:
        return said
    day = date_format(item.due, "DATE_FORMAT")
    return f"{day} ({said})" if said else day


def as_calendar(minutes: MinutesOfMeeting | None, *, key: str, title: str) -> bytes:
    """Write the to-dos as tasks of iCalendar (RFC 5545).

    Args:
        key: Names the meeting.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//asrsite//minutes//EN")
    calendar.add("version", "2.0")
    for item in minutes.of(MinutesItem.Section.ACTION) if minutes else ():
        calendar.add_component(_task(item, minutes, key=key, title=title))
    written: bytes = calendar.to_ical()
    return written


def _task(item: Item, minutes: MinutesOfMeeting | None, *, key: str, title: str) -> Todo:
    assert minutes
    who = one_line(item.who.name) if item.who else ""
    task = Todo()
    task.add("uid", str(uuid.uuid5(_TASKS, f"{key} {item.key}")))
    task.add("dtstamp", minutes.made_at)
    task.add("summary", f"{who}: {one_line(item.text)}" if who else one_line(item.text))
    task.add("description", " ".join(part for part in (title, clock(item.at_ms / 1000)) if part))
    task.add("status", "COMPLETED" if item.is_done else "NEEDS-ACTION")
    if item.due:
        task.add("due", item.due)
    return task
