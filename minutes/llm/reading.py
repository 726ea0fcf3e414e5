"""Reading of answers: what the cited lines carry becomes a statement, and nothing else does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from minutes.days import mentions
from minutes.lines import Line
from minutes.people import People
from minutes.statements import Kind, Statement

from .answers import MAX_STATEMENTS, Answers, Cited, Part, Task, Whole
from .support import MAX_CITED, MAX_TITLE, is_carried, shared


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting whose lines are cited by their numbers, from 1."""

    lines: Sequence[Line]
    people: People
    today: date

    def cited(self, numbers: Iterable[int], within: range) -> list[Line]:
        """Return the lines of these numbers, each once; those that are not there are none."""
        there = dict.fromkeys(number for number in numbers if number - 1 in within)
        return [self.lines[number - 1] for number in sorted(there)][:MAX_CITED]


def of_part(answer: Part, meeting: Meeting, part: range) -> list[Statement]:
    """Return what an answer on a part says that its lines carry."""
    kinds: list[tuple[Kind, Sequence[Cited]]] = [
        (Kind.SUMMARY, answer.summary),
        (Kind.CHAPTER, answer.chapters),
        (Kind.DECISION, answer.decisions),
        (Kind.ACTION, answer.actions),
        (Kind.QUESTION, answer.questions),
    ]
    return _without_doubles(
        statement
        for kind, found in kinds
        for statement in _statements(kind, found[:MAX_STATEMENTS], meeting, part)
    )


def of_whole(answer: Whole, meeting: Meeting) -> list[Statement]:
    """Return what an answer on all summaries says that its lines carry."""
    every = range(len(meeting.lines))
    return _without_doubles(_statements(Kind.SUMMARY, answer.summary[:MAX_STATEMENTS], meeting, every))


def of_answers(answer: Answers, meeting: Meeting) -> list[Statement]:
    """Return the answers to a question that lines carry."""
    every = range(len(meeting.lines))
    return _without_doubles(_statements(Kind.SUMMARY, answer.answers[:MAX_STATEMENTS], meeting, every))


def _statements(kind: Kind, found: Iterable[Cited], meeting: Meeting, part: range) -> Iterator[Statement]:
    for each in found:
        text = " ".join(each.text.split())
        lines = meeting.cited(each.lines, part)
        if kind is Kind.CHAPTER and len(text) > MAX_TITLE:
            continue
        if is_carried(text, lines, meeting.people):
            yield _statement(kind, text, lines, each, meeting)


def _statement(kind: Kind, text: str, lines: Sequence[Line], found: Cited, meeting: Meeting) -> Statement:
    keys = tuple(line.key for line in lines)
    if not isinstance(found, Task):
        speaker = lines[0].speaker if kind is Kind.QUESTION else ""
        return Statement(kind, text, keys, speaker=speaker)
    until = _until(found, lines, meeting.today)
    return Statement(
        kind, text, keys, speaker=_who(found, lines, meeting.people), until=until[0], due=until[1]
    )


def _who(task: Task, lines: Sequence[Line], people: People) -> str:
    """Return the speaker that an answer names, if the lines name them too or are theirs."""
    named = {speaker for speaker, *_ in people.find(task.who or "")}
    there = {line.speaker for line in lines}
    there |= {speaker for line in lines for speaker, *_ in people.find(line.text)}
    found = named & there
    return found.pop() if len(found) == 1 else ""


def _until(task: Task, lines: Sequence[Line], today: date) -> tuple[str, date | None]:
    """Return until when, if the lines say so."""
    until = " ".join((task.until or "").split())
    if not until or not any(until.casefold() in line.text.casefold() for line in lines):
        return "", None
    day = next((mention.day for mention in mentions(until, today)), None)
    return until, day


def _without_doubles(statements: Iterable[Statement]) -> list[Statement]:
    """Leave out what says the same again: of the same kind, of the same line, in nearly the same words."""
    found: list[Statement] = []
    for statement in statements:
        if not any(_is_same(statement, other) for other in found):
            found.append(statement)
    return found


def _is_same(one: Statement, other: Statement) -> bool:
    if one.kind is not other.kind or one.speaker != other.speaker:
        return False
    return one.text == other.text or bool(
        {*one.lines} & {*other.lines} and shared(one.text, other.text) > 0.7
    )
