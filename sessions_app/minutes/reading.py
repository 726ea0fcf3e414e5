"""Minutes as they are read: on pages, by programs, and in files that are taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from recognition.audio import milliseconds
from sessions_app.models import Minutes, MinutesItem, Session, Utterance, Voice

from . import keeping


@dataclass(frozen=True, slots=True)
class Person:
    """A speaker of the meeting."""

    speaker_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """A statement, with those of its lines that are there."""

    key: int
    section: str
    text: str
    lines: Sequence[tuple[int, int]]
    """Keys of lines, and when each begins, in milliseconds."""

    who: Person | None
    until: str
    due: date | None
    is_done: bool
    is_edited: bool
    source: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Talk:
    """A person's share of the meeting."""

    who: Person
    spoken_ms: int
    turns: int
    questions: int


@dataclass(frozen=True, slots=True)
class KeyWord:
    """A word that the meeting is about."""

    word: str
    count: int


@dataclass(frozen=True, slots=True)
class MinutesOfMeeting:
    """All of it."""

    made_at: datetime
    is_so_far: bool
    """Made while the meeting went on: of what had been said."""

    is_out_of_date: bool
    items: Sequence[Item]
    talk: Sequence[Talk]
    key_words: Sequence[KeyWord]

    def of(self, section: MinutesItem.Section) -> list[Item]:
        """Return the statements of one section."""
        return [item for item in self.items if item.section == section]


def read(session: Session) -> MinutesOfMeeting | None:
    """Read the minutes of a meeting; None while it has none."""
    kept = Minutes.objects.filter(session=session).first()
    if kept is None:
        return None
    voices = _people(session)
    rows = list(MinutesItem.objects.filter(session=session, is_removed=False))
    starts = _starts(session, rows)
    items = [_item(row, starts, voices) for row in rows]
    return MinutesOfMeeting(
        made_at=kept.made_at,
        is_so_far=kept.seq_so_far is not None,
        is_out_of_date=keeping.is_out_of_date(session, kept),
        # Lines may have been taken out, or gone to another meeting: what nothing carries is not said.
        items=_chosen([item for item in items if item.lines or item.is_edited]),
        talk=_talk(kept, voices),
        key_words=[KeyWord(word["word"], word["count"]) for word in kept.key_words],
    )


def _chosen(items: Sequence[Item]) -> list[Item]:
    """Leave out what patterns found of a section that a language model has written, unless it was changed."""
    written = {item.section for item in items if item.source == MinutesItem.Source.MODEL}
    return [
        item
        for item in items
        if item.source != MinutesItem.Source.PATTERNS
        or item.section not in written
        or item.is_edited
        or item.is_done
    ]


def _starts(session: Session, rows: Sequence[MinutesItem]) -> Mapping[int, int]:
    """Return when each cited line begins, of those that are there."""
    there = Utterance.objects.filter(session=session, is_removed=False)
    cited = {line for row in rows for line in row.lines}
    return {key: milliseconds(start) for key, start in there.values_list("pk", "start") if key in cited}


def _people(session: Session) -> Mapping[int, Person]:
    """Return who each voice is; one that turned out to be another is that one."""
    voices = {voice.pk: voice for voice in Voice.objects.filter(session=session).select_related("speaker")}
    return {key: _person(_last(voice, voices)) for key, voice in voices.items()}


def _last(voice: Voice, voices: Mapping[int, Voice]) -> Voice:
    seen = {voice.pk}
    while (target := voices.get(voice.merged_into_id or 0)) and target.pk not in seen:
        voice = target
        seen.add(voice.pk)
    return voice


def _person(voice: Voice) -> Person:
    return Person(voice.public_id, voice.name)


def _item(row: MinutesItem, starts: Mapping[int, int], people: Mapping[int, Person]) -> Item:
    lines = [(line, starts[line]) for line in row.lines if line in starts]
    return Item(
        key=row.pk,
        section=row.section,
        text=row.text,
        lines=lines,
        who=people.get(row.voice_id) if row.voice_id else None,
        until=row.until,
        due=row.due,
        is_done=row.is_done,
        is_edited=row.is_edited,
        source=row.source,
        at_ms=lines[0][1] if lines else milliseconds(row.position),
    )


def _talk(kept: Minutes, people: Mapping[int, Person]) -> list[Talk]:
    """Return the shares of all, those of voices that are one person's together."""
    found: dict[str, Talk] = {}
    for own in kept.talk:
        who = people.get(own["voice"])
        if who is None:
            continue
        before = found.get(who.speaker_id, Talk(who, 0, 0, 0))
        found[who.speaker_id] = Talk(
            who,
            before.spoken_ms + own["spoken_ms"],
            before.turns + own["turns"],
            before.questions + own["questions"],
        )
    return sorted(found.values(), key=lambda talk: -talk.spoken_ms)


def as_object(found: MinutesOfMeeting) -> dict[str, Any]:
    """Return minutes as pages and programs get them; times in milliseconds."""
    return {
        "made_at": found.made_at.isoformat(timespec="seconds"),
        "is_so_far": found.is_so_far,
        "is_out_of_date": found.is_out_of_date,
        "items": [item_as_object(item) for item in found.items],
        "talk": [
            {
                **_person_as_object(talk.who),
                "spoken_ms": talk.spoken_ms,
                "turns": talk.turns,
                "questions": talk.questions,
            }
            for talk in found.talk
        ],
        "key_words": [{"word": word.word, "count": word.count} for word in found.key_words],
    }


def item_as_object(item: Item) -> dict[str, Any]:
    """Return a statement as pages and programs get it."""
    return {
        "id": item.key,
        "section": item.section,
        "text": item.text,
        "lines": [{"line_id": line, "start_ms": start_ms} for line, start_ms in item.lines],
        "at_ms": item.at_ms,
        "who": _person_as_object(item.who) if item.who else None,
        "until": item.until,
        "due": item.due.isoformat() if item.due else None,
        "is_done": item.is_done,
        "is_edited": item.is_edited,
        "source": item.source,
    }


def _person_as_object(person: Person) -> dict[str, str]:
    return {"speaker_id": person.speaker_id, "speaker_name": person.name}
