"""A line is carried once, from the recogniser to whoever reads it: no column of it gets lost on the way.

Whoever adds a column to `Utterance` is told here what to decide about it.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import models

from recognition.core.events import Final
from sessions_app.admin import UtteranceAdmin
from sessions_app.models import Session, Utterance
from sessions_app.store import commits, queries
from sessions_app.transcripts import editing
from sessions_app.transcripts.edit_requests import (
    InsertLine,
    RemoveLine,
    RestoreLines,
    Seen,
    SplitLine,
    Version,
)
from sessions_app.wire.protocol import Line, SpeakerRef
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice, new_line

pytestmark = pytest.mark.django_db

COLUMNS = Utterance._meta.concrete_fields
NAMES = {column.name for column in COLUMNS}

TOLD_IN_OTHER_WORDS = {"id", "start", "end", "voice", "score", "rewrites"}
NOT_TOLD = {"session", "machine_text", "tokens", "is_voice_locked", "revision", "is_removed"}


def value_for(column: models.Field[Any, Any], session: Session) -> Any:
    """Something that no line has by default."""
    match column.get_internal_type():
        case "CharField" | "TextField":
            return f"{column.name}!"
        case "BooleanField":
            return True
        case "FloatField":
            return 0.25
        case "JSONField" if column.name == "rewrites":
            return [[0, 1, "余", "预", 0]]
        case "JSONField":
            return [["预", 64_000, 70_000]]
        case "BigIntegerField" | "PositiveIntegerField":
            return 64_000
        case "ForeignKey" if column.name == "voice":
            return make_voice(session, "Bob").pk
        case kind:
            raise NotImplementedError(f"say what a {kind} such as {column.name} shall have in this test")


def columns_of(line: Utterance, names: set[str]) -> dict[str, Any]:
    return {column.name: getattr(line, column.attname) for column in COLUMNS if column.name in names}


@pytest.fixture
def editor() -> User:
    return make_user("Alice", "editor")


@pytest.fixture
def session() -> Session:
    session = make_session()
    make_lines(session)
    return session


@pytest.fixture
def line(session: Session) -> Utterance:
    """A line that has something in every column but those that say which one it is."""
    line = session.utterances.get(seq=3)
    own = {"id", "session", "seq", "start", "end", "text", "is_removed"}
    changes = {c.attname: value_for(c, session) for c in COLUMNS if c.name not in own}
    Utterance.objects.filter(pk=line.pk).update(**changes)
    line.refresh_from_db()
    return line


def seen(line: Utterance) -> Seen:
    return Seen(line=line.pk, revision=line.revision)


class TestFromTheRecogniser:
    def test_every_field_of_a_final_is_a_column_or_named_as_none(self) -> None:
        known = {field.name for field in fields(Final)}
        assert set(commits.NOT_STORED) <= known
        assert known - set(commits.NOT_STORED) <= NAMES

    def test_a_commit_keeps_what_the_final_says(self) -> None:
        session, _ = commits.get_or_create_session("m")
        new = new_line(100, 200, "好的。")
        names = {field.name for field in fields(Final)} - {*commits.NOT_STORED, "tokens"}
        more = names - {"start", "end", "text"}
        said = {column.name: value_for(column, session) for column in COLUMNS if column.name in more}
        final = replace(new.final, **said)
        lease = commits.acquire(session.pk)
        assert lease
        commits.commit(lease, durable=200, lines=[replace(new, final=final)])
        line = session.utterances.get()
        for name in names:
            assert getattr(line, name) == getattr(final, name)
        assert line.tokens == [["好", 100, 150], ["的", 150, 200]]


class TestCopies:
    def test_have_every_column_but_those_named_as_a_line_s_own(self, line: Utterance) -> None:
        assert set(editing.NOT_COPIED) <= NAMES
        copied = NAMES - set(editing.NOT_COPIED)
        assert columns_of(editing.copy_of(line), copied) == columns_of(line, copied)

    def test_have_nothing_of_the_others(self, line: Utterance) -> None:
        own = set(editing.NOT_COPIED)
        assert columns_of(editing.copy_of(line), own) == columns_of(Utterance(), own)

    def test_differ_where_it_is_asked_for(self, line: Utterance) -> None:
        copy = editing.copy_of(line, text="好。", voice_id=None)
        assert (copy.text, copy.voice_id, copy.start) == ("好。", None, line.start)

    def test_both_halves_of_a_line_that_is_split_have_them(
        self, session: Session, line: Utterance, editor: User
    ) -> None:
        cut = {"start", "end", "text", "is_edited"}
        before = columns_of(line, NAMES)
        editing.apply(session, SplitLine(seen=seen(line), first="预算", second="通过了吗？"), by=editor)
        first, second = session.utterances.filter(start__gte=line.start, end__lte=line.end).order_by("start")
        for half, own in ((first, {"revision"}), (second, set(editing.NOT_COPIED))):
            kept = NAMES - cut - own
            assert columns_of(half, kept) == {name: before[name] for name in kept}

    def test_a_line_that_is_inserted_has_them_but_what_was_heard(
        self, session: Session, line: Utterance, editor: User
    ) -> None:
        editing.apply(session, InsertLine(after=line.pk, text="（笑）"), by=editor)
        inserted = session.utterances.get(text="（笑）")
        as_heard = {*editing.AS_HEARD, "tokens", "score"}
        own = {*editing.NOT_COPIED, *as_heard, "start", "end", "text", "is_edited", "is_voice_locked"}
        assert columns_of(inserted, NAMES - own) == columns_of(line, NAMES - own)
        assert (inserted.tokens, inserted.score, inserted.is_voice_locked) == ([], None, False)
        assert {getattr(inserted, name) for name in editing.AS_HEARD} == {""}

    def test_a_line_that_is_inserted_after_a_removed_one_is_there(
        self, session: Session, line: Utterance, editor: User
    ) -> None:
        editing.apply(session, RemoveLine(seen=seen(line)), by=editor)
        editing.apply(session, InsertLine(after=line.pk, text="（笑）"), by=editor)
        assert not session.utterances.get(text="（笑）").is_removed


class TestVersions:
    def test_restore_every_column_but_those_named(
        self, session: Session, line: Utterance, editor: User
    ) -> None:
        restored = NAMES - set(editing.NOT_RESTORED)
        before = columns_of(line, restored)
        outcome = editing.apply(session, RemoveLine(seen=seen(line)), by=editor)
        assert isinstance(outcome.undo, RestoreLines)
        version = outcome.undo.lines[0].version
        defaults = columns_of(Utterance(start=1, end=2, text="x"), restored)
        Utterance.objects.filter(pk=line.pk).update(**defaults)
        line.refresh_from_db()
        undo = RestoreLines(lines=[Version(line=line.pk, revision=line.revision, version=version)])
        editing.apply(session, undo, by=editor)
        line.refresh_from_db()
        assert columns_of(line, restored) == before

    def test_name_columns_that_there_are(self) -> None:
        assert set(editing.NOT_RESTORED) <= NAMES

    def test_keep_what_they_restore(self) -> None:
        kept = {field.name for field in Utterance.history.model._meta.concrete_fields}
        assert NAMES - set(editing.NOT_RESTORED) <= kept


class TestToWhoeverReads:
    def test_every_column_is_told_or_named_as_not(self) -> None:
        told = {field.name for field in fields(Line)} & NAMES
        assert told | TOLD_IN_OTHER_WORDS | NOT_TOLD == NAMES
        assert not told & NOT_TOLD

    def test_a_line_says_what_its_columns_say(self, line: Utterance) -> None:
        told = queries.as_line(line)
        for name in {field.name for field in fields(Line)} & NAMES:
            assert getattr(told, name) == getattr(line, name)
        assert line.voice
        assert line.voice.speaker
        assert told.spoken == SpeakerRef(str(line.voice.speaker.uuid), "Bob", 0.25, is_enrolled=True)

    def test_the_admin_shows_every_column_that_is_no_bookkeeping(self) -> None:
        shown = {*UtteranceAdmin(Utterance, site).fields, "start", "end", "voice", "score"}
        assert {column.name for column in COLUMNS if column.editable and not column.primary_key} <= shown
