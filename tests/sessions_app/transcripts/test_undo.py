"""Edits one after another, whatever they are: each can be taken back, and readers see the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User

from sessions_app.models import Overlap, Session, Utterance
from sessions_app.store import queries
from sessions_app.store.queries import as_line, with_voices
from sessions_app.transcripts import editing, transcript
from sessions_app.transcripts.edit_requests import (
    ChangeText,
    Edit,
    GiveLine,
    InsertLine,
    MergeLines,
    NameVoice,
    RemoveLine,
    ReplaceText,
    RestoreLines,
    Seen,
    SplitLine,
    Who,
)
from sessions_app.transcripts.editing import Conflict, NotPossible
from speakers.models import Speaker

from ..meetings import LINES, make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

SEEDS = range(6)
EDITS = 10


@pytest.fixture
def editor() -> User:
    return make_user("Alice", "editor")


@pytest.fixture
def session() -> Session:
    """Eight lines by two strangers and somebody with a name."""
    session = make_session()
    voices = [make_voice(session), make_voice(session, "张三"), make_voice(session)]
    for at, text in enumerate([*LINES, "Okay, let's go.", "预算多少？", "100 元。", "好的。"]):
        [line] = make_lines(session, [text], voices[at % 3])
        Overlap.objects.create(
            utterance=line, voice=voices[(at + 1) % 3], start=line.start + 100, end=line.end - 100
        )
    return session


def lines(session: Session) -> list[Utterance]:
    rows = with_voices(session.utterances.filter(is_removed=False))
    return list(rows.order_by("start", "id"))


def seen(line: Utterance) -> Seen:
    return Seen(line=line.pk, revision=line.revision)


Making = Callable[[random.Random, list[Utterance]], Edit]


def somebody(chance: random.Random, rows: list[Utterance]) -> Who:
    voices = [row.voice.public_id for row in rows if row.voice]
    kind = chance.choice(["known", "new", "stranger"])
    if kind == "known" and voices:
        return Who(speaker_id=chance.choice(voices))
    return Who(name=f"Person {chance.randrange(1000)}") if kind == "new" else Who(stranger=True)


def splitting(chance: random.Random, rows: list[Utterance]) -> Edit:
    line = chance.choice([row for row in rows if len(row.text) > 1] or rows)
    at = chance.randrange(1, len(line.text) + 1)
    return SplitLine(
        seen=seen(line), first=line.text[:at].strip() or "x", second=line.text[at:].strip() or "y"
    )


def merging(chance: random.Random, rows: list[Utterance]) -> Edit:
    at = chance.randrange(len(rows) - 1)
    return MergeLines(seen=seen(rows[at]), following=seen(rows[at + 1]))


EDITINGS: list[Making] = [
    lambda chance, rows: ChangeText(
        seen=seen(chance.choice(rows)), text=chance.choice(["改。", "New.", "🎤"])
    ),
    lambda chance, rows: GiveLine(seen=seen(chance.choice(rows)), who=somebody(chance, rows)),
    lambda chance, rows: NameVoice(
        voice=chance.choice([row.voice.public_id for row in rows if row.voice]), who=somebody(chance, rows)
    ),
    splitting,
    merging,
    lambda chance, rows: InsertLine(after=chance.choice(rows).pk, text="（笑）"),
    lambda chance, rows: RemoveLine(seen=seen(chance.choice(rows))),
    lambda chance, rows: ReplaceText(find="好", replacement="妙", lines=[seen(row) for row in rows]),
]


@dataclass
class Step:
    """An edit that takes one back, as a page keeps it."""

    edit: Edit
    was: Mapping[int, int]


def edited(session: Session, chance: random.Random, by: User) -> list[Step]:
    """Do edits of all kinds, and return those that take them back, in order."""
    undoing = []
    for _ in range(EDITS):
        rows = lines(session)
        if len(rows) < 3:
            break
        try:
            outcome = editing.apply(session, chance.choice(EDITINGS)(chance, rows), by=by)
        except (Conflict, NotPossible):
            continue  # two voices that are one already, for example
        if outcome.undo:
            undoing.append(Step(outcome.undo, outcome.was))
    return undoing


def taken_back(session: Session, steps: list[Step], by: User) -> list[Step]:
    """Take back one edit after another, and return what takes that back again."""
    again = []
    while steps:
        step = steps.pop()
        outcome = editing.apply(session, step.edit, by=by)
        revisions = {(line.pk, step.was.get(line.pk)): line.revision for line in outcome.lines}
        for earlier in steps:  # as `followLines` does on a page
            earlier.edit = followed(earlier.edit, revisions)
        if outcome.undo:
            again.append(Step(outcome.undo, outcome.was))
    return again


def followed(edit: Edit, revisions: Mapping[tuple[int, int | None], int]) -> Edit:
    """Return the edit with the revisions that lines have now that read as they were seen."""

    def now(mark: Any) -> Any:
        return mark.model_copy(update={"revision": revisions.get((mark.line, mark.revision), mark.revision)})

    if isinstance(edit, RestoreLines):
        return edit.model_copy(update={"lines": [now(mark) for mark in edit.lines]})
    return edit


def state(session: Session) -> list[tuple[object, ...]]:
    """All that a reader sees of the lines."""
    return [
        (
            row.pk,
            row.text,
            row.start,
            row.end,
            row.is_edited,
            row.voice.name if row.voice else "",
            _during(row),
        )
        for row in lines(session)
    ]


def _during(row: Utterance) -> list[tuple[str, int, int]]:
    """Who speaks during a line, each once."""
    return sorted({(each.speaker_name, each.start_ms, each.end_ms) for each in as_line(row).overlaps})


@pytest.mark.parametrize("seed", SEEDS)
def test_taken_back_one_after_another_all_is_as_it_was(seed: int, session: Session, editor: User) -> None:
    before = state(session)

    undoing = edited(session, random.Random(seed), editor)
    changed = state(session)
    taken_back(session, undoing, editor)

    assert state(session) == before
    assert changed != before


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_taken_back_can_be_done_again(seed: int, session: Session, editor: User) -> None:
    undoing = edited(session, random.Random(seed), editor)
    changed = state(session)

    again = taken_back(session, undoing, editor)
    taken_back(session, again, editor)

    assert state(session) == changed


@pytest.mark.parametrize("seed", SEEDS)
def test_who_reads_along_ends_with_what_a_newcomer_sees(seed: int, session: Session, editor: User) -> None:
    """Revisions alone, in their order, keep a page right; none is missing and none is told twice."""
    page = {line.pk: transcript.line_json(line) for line in transcript.read(session).lines}
    known = transcript.read(session).last_revision

    edited(session, random.Random(seed), editor)
    told = queries.revisions_after(session.pk, known, limit=1000)
    for revision in told:
        if revision.is_removed:
            page.pop(revision.line.line_id, None)
        else:
            row = Utterance.objects.get(pk=revision.line.line_id)
            page[row.pk] = transcript.line_json(row)

    fresh = transcript.read(session)
    assert page == {line.pk: transcript.line_json(line) for line in fresh.lines}
    numbers = [revision.revision for revision in told]
    assert numbers == sorted(set(numbers))
    assert fresh.last_revision == max(numbers)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_word_of_the_machine_is_ever_lost(seed: int, session: Session, editor: User) -> None:
    before = dict(session.utterances.values_list("pk", "machine_text"))

    edited(session, random.Random(seed), editor)

    after = dict(session.utterances.values_list("pk", "machine_text"))
    assert {pk: after[pk] for pk in before} == before
    assert {text for pk, text in after.items() if pk not in before} <= {""}


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_never_end_before_they_start(seed: int, session: Session, editor: User) -> None:
    edited(session, random.Random(seed), editor)

    for line in lines(session):
        assert line.start <= line.end
        assert line.text == line.text.strip() != ""


def test_an_undo_of_what_somebody_changed_since_changes_nothing(session: Session, editor: User) -> None:
    line = lines(session)[0]
    undo = editing.apply(session, ChangeText(seen=seen(line), text="一。"), by=editor).undo
    line.refresh_from_db()
    editing.apply(session, ChangeText(seen=seen(line), text="二。"), by=make_user("Bob", "editor"))
    assert undo is not None

    with pytest.raises(Conflict) as conflict:
        editing.apply(session, undo, by=editor)

    assert [row.text for row in conflict.value.lines] == ["二。"]
    assert lines(session)[0].text == "二。"


def test_a_speaker_who_was_forgotten_does_not_come_back_with_an_undo(session: Session, editor: User) -> None:
    line = lines(session)[1]  # 张三's
    undo = editing.apply(session, GiveLine(seen=seen(line), who=Who(stranger=True)), by=editor).undo
    Speaker.objects.get(name="张三").delete()
    assert undo is not None

    editing.apply(session, undo, by=editor)

    assert "张三" not in {name for *_, name, _during in state(session)}
    assert "张三" not in str(list(Utterance.history.values()))


def test_a_line_that_somebody_put_between_is_not_swallowed(session: Session, editor: User) -> None:
    first, second = lines(session)[:2]
    editing.apply(session, InsertLine(after=first.pk, text="（笑）"), by=make_user("Bob", "editor"))

    with pytest.raises(NotPossible, match="the one after it"):
        editing.apply(session, MergeLines(seen=seen(first), following=seen(second)), by=editor)

    assert [line.text for line in lines(session)][:3] == [first.text, "（笑）", second.text]


def test_over_a_line_that_was_removed_its_neighbours_are_joined(session: Session, editor: User) -> None:
    first, between, last = lines(session)[:3]
    editing.apply(session, RemoveLine(seen=seen(between)), by=editor)

    editing.apply(session, MergeLines(seen=seen(first), following=seen(last)), by=editor)

    assert lines(session)[0].text == first.text + last.text
