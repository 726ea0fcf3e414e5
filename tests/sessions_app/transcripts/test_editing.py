"""What edits do to a transcript, to its history, and to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from recognition.audio import samples
from sessions_app.models import Session, Utterance
from sessions_app.store import queries
from sessions_app.transcripts import editing
from sessions_app.transcripts.edit_requests import (
    ChangeText,
    ChangeTitle,
    GiveLine,
    InsertLine,
    MergeLines,
    NameVoice,
    RemoveLine,
    ReplaceText,
    RestoreLines,
    Seen,
    SplitLine,
    Version,
    Who,
)
from sessions_app.transcripts.editing import Conflict, NotPossible
from speakers.models import Speaker
from tests.sessions_app.meetings import LINES, make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> User:
    return make_user("Alice", "editor")


@pytest.fixture
def session() -> Session:
    session = make_session()
    make_lines(session, voice=make_voice(session))
    return session


Do = Callable[..., Any]


@pytest.fixture
def do(session: Session, editor: User) -> Do:
    """Do an edit, as the editor unless somebody else is named."""
    return lambda edit, by=editor: editing.apply(session, edit, by=by)


def lines(session: Session) -> list[Utterance]:
    return list(session.utterances.filter(is_removed=False).order_by("start", "id"))


def texts(session: Session) -> list[str]:
    return [line.text for line in lines(session)]


def names(session: Session) -> list[str]:
    return [line.voice.name if line.voice else "" for line in lines(session)]


def seen(line: Utterance) -> Seen:
    return Seen(line=line.pk, revision=line.revision)


def revised(session: Session, since: int = 0) -> list[tuple[int, str, bool]]:
    """What open pages are told."""
    changes = queries.revisions_after(session.pk, since, limit=100)
    return [(change.revision, change.line.text, change.is_removed) for change in changes]


class TestText:
    def test_the_line_says_it_and_pages_are_told(self, session: Session, do: Do) -> None:
        line = lines(session)[1]
        outcome = do(ChangeText(seen=seen(line), text="好。"))
        assert texts(session) == [LINES[0], "好。", *LINES[2:]]
        assert revised(session) == [(1, "好。", False)]
        assert [(changed.pk, changed.revision) for changed in outcome.lines] == [(line.pk, 1)]

    def test_it_counts_as_edited_until_it_is_as_the_machine_wrote_it(self, session: Session, do: Do) -> None:
        line = lines(session)[1]
        do(ChangeText(seen=seen(line), text="好。"))
        line.refresh_from_db()
        assert (line.is_edited, line.machine_text) == (True, "好的。")
        do(ChangeText(seen=seen(line), text="好的。"))
        line.refresh_from_db()
        assert not line.is_edited

    def test_every_version_is_kept_with_its_author(self, session: Session, do: Do) -> None:
        line = lines(session)[1]
        do(ChangeText(seen=seen(line), text="好。"))
        line.refresh_from_db()
        do(ChangeText(seen=seen(line), text="好吧。"), by=make_user("Bob", "editor"))
        versions = [
            (version.text, version.history_user and version.history_user.username)
            for version in line.history.order_by("history_id")
        ]
        assert versions == [("好的。", None), ("好。", "Alice"), ("好吧。", "Bob")]

    def test_what_the_machine_changed_meanwhile_is_kept_too(self, session: Session, do: Do) -> None:
        line = lines(session)[1]
        do(ChangeText(seen=seen(line), text="好。"))
        other = make_voice(session, "Bob")
        Utterance.objects.filter(pk=line.pk).update(voice=other)
        line.refresh_from_db()
        do(ChangeText(seen=seen(line), text="好吧。"))
        assert [v.voice_id for v in line.history.order_by("history_id")][-2:] == [other.pk, other.pk]
        assert line.history.order_by("-history_id")[1].history_user is None

    def test_nothing_changed_is_no_edit(self, session: Session, do: Do) -> None:
        line = lines(session)[1]
        outcome = do(ChangeText(seen=seen(line), text=line.text))
        assert (outcome.lines, outcome.undo, revised(session)) == ([], None, [])
        assert not line.history.exists()

    def test_a_line_of_another_session_cannot_be_changed(self, do: Do) -> None:
        [foreign] = make_lines(make_session("another"), ["秘密。"])
        with pytest.raises(NotPossible, match="There is no line"):
            do(ChangeText(seen=seen(foreign), text="x"))


class TestConflict:
    def test_the_second_of_two_is_shown_the_first_and_changes_nothing(self, session: Session, do: Do) -> None:
        line = lines(session)[1]
        mark = seen(line)
        do(ChangeText(seen=mark, text="好。"))
        with pytest.raises(Conflict) as conflict:
            do(ChangeText(seen=mark, text="不好。"), by=make_user("Bob", "editor"))
        assert [line.text for line in conflict.value.lines] == ["好。"]
        assert texts(session)[1] == "好。"

    def test_a_line_that_is_gone_is_a_conflict(self, session: Session, do: Do) -> None:
        line = lines(session)[1]
        do(RemoveLine(seen=seen(line)))
        line.refresh_from_db()
        with pytest.raises(Conflict):
            do(ChangeText(seen=seen(line), text="x"))

    def test_of_many_lines_none_is_changed_if_one_is_not_as_seen(self, session: Session, do: Do) -> None:
        marks = [seen(line) for line in lines(session)]
        do(ChangeText(seen=marks[3], text="通过。"))
        with pytest.raises(Conflict) as conflict:
            do(ReplaceText(find="。", replacement="！", lines=marks))
        assert [line.text for line in conflict.value.lines] == ["通过。"]
        assert texts(session)[0] == LINES[0]


class TestSpeaker:
    def test_one_line_goes_to_somebody_and_stays_there(self, session: Session, do: Do) -> None:
        do(GiveLine(seen=seen(lines(session)[1]), who=Who(name="Bob")))
        assert names(session) == ["Speaker 1", "Bob", "Speaker 1", "Speaker 1"]
        assert lines(session)[1].is_voice_locked
        assert [text for _, text, _ in revised(session)] == ["好的。"]

    def test_somebody_of_this_session_is_said_by_the_id_that_pages_see(
        self, session: Session, do: Do
    ) -> None:
        bob = make_voice(session, "Bob")
        do(GiveLine(seen=seen(lines(session)[0]), who=Who(speaker_id=bob.public_id)))
        do(GiveLine(seen=seen(lines(session)[1]), who=Who(stranger=True)))
        assert names(session)[:2] == ["Bob", "Speaker 2"]

    def test_a_whole_voice_gets_a_name(self, session: Session, do: Do) -> None:
        bob = Speaker.objects.create(name="Bob")
        voice = session.voices.get()
        do(NameVoice(voice=voice.public_id, who=Who(speaker_id=str(bob.uuid))))
        assert names(session) == 4 * ["Bob"]
        assert len(revised(session)) == 4

    def test_two_voices_become_one_and_two_again(self, session: Session, do: Do) -> None:
        one, two = session.voices.get(), make_voice(session, "Bob")
        Utterance.objects.filter(pk=lines(session)[3].pk).update(voice=two)
        outcome = do(NameVoice(voice=one.public_id, who=Who(speaker_id=two.public_id)))
        assert names(session) == 4 * ["Bob"]
        do(outcome.undo)
        assert names(session) == ["Speaker 1", "Speaker 1", "Speaker 1", "Bob"]

    def test_a_name_is_taken_back(self, session: Session, do: Do) -> None:
        outcome = do(NameVoice(voice=session.voices.get().public_id, who=Who(name="Bob")))
        outcome = do(outcome.undo)
        assert names(session) == 4 * ["Speaker 1"]
        do(outcome.undo)
        assert names(session) == 4 * ["Bob"]

    def test_a_voice_that_somebody_named_meanwhile_is_a_conflict(self, session: Session, do: Do) -> None:
        public_id = session.voices.get().public_id
        do(NameVoice(voice=public_id, who=Who(name="Bob")))
        with pytest.raises(Conflict, match="renamed this voice"):
            do(NameVoice(voice=public_id, who=Who(name="Carol")))

    def test_new_names_need_the_permission_to_add_speakers(self, session: Session, do: Do) -> None:
        user = make_user("Bob")
        with pytest.raises(NotPossible, match="only choose among the known speakers"):
            do(NameVoice(voice=session.voices.get().public_id, who=Who(name="Eve")), by=user)
        assert not Speaker.objects.exists()

    @pytest.mark.parametrize("speaker_id", ["", "x", "00000000-0000-0000-0000-000000000001"])
    def test_nobody_s_id_is_refused(self, session: Session, do: Do, speaker_id: str) -> None:
        with pytest.raises(NotPossible, match="no longer exists"):
            do(GiveLine(seen=seen(lines(session)[0]), who=Who(speaker_id=speaker_id)))


class TestLines:
    def test_split_where_the_words_are(self, session: Session, do: Do) -> None:
        line = lines(session)[2]
        do(SplitLine(seen=seen(line), first="预算", second="通过了吗？"))
        first, second = lines(session)[2:4]
        assert [first.text, second.text] == ["预算", "通过了吗？"]
        assert (first.start, first.end) == (samples(4), samples(4) + 2 * samples(2) // 6)
        assert (second.start, second.end) == (first.end, samples(6))
        assert second.voice == first.voice
        assert [text for _, text, _ in revised(session)] == ["预算", "通过了吗？"]

    def test_split_and_undo_leaves_everything_as_it_was(self, session: Session, do: Do) -> None:
        before = [(line.text, line.start, line.end, line.tokens) for line in lines(session)]
        outcome = do(SplitLine(seen=seen(lines(session)[2]), first="预算", second="通过了吗？"))
        do(outcome.undo)
        assert [(line.text, line.start, line.end, line.tokens) for line in lines(session)] == before

    def test_merge_with_the_next(self, session: Session, do: Do) -> None:
        first, second = lines(session)[2:4]
        do(MergeLines(seen=seen(first), following=seen(second)))
        assert texts(session) == [LINES[0], LINES[1], "预算通过了吗？通过了。"]
        merged = lines(session)[2]
        assert (merged.start, merged.end) == (samples(4), samples(8))
        assert [token[0] for token in merged.tokens] == list("预算通过了吗通过了")
        assert revised(session) == [(1, "预算通过了吗？通过了。", False), (2, "通过了。", True)]

    def test_merge_and_undo(self, session: Session, do: Do) -> None:
        first, second = lines(session)[2:4]
        outcome = do(MergeLines(seen=seen(first), following=seen(second)))
        do(outcome.undo)
        assert texts(session) == LINES
        assert [(line.start, line.end) for line in lines(session)[2:]] == [
            (samples(4), samples(6)), (samples(6), samples(8)),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("first", "second", "joined"),
        [
            ("好。", "是的。", "好。是的。"),
            ("Yes.", "Of course.", "Yes. Of course."),
            ("用GPU", "算", "用GPU算"),
            ("okay", "好", "okay好"),
        ],
    )
    def test_texts_are_joined_as_their_script_wants_it(self, first: str, second: str, joined: str) -> None:
        assert editing.join_lines(first, second) == joined

    def test_insert_comes_right_after_its_line(self, session: Session, do: Do) -> None:
        do(InsertLine(after=lines(session)[1].pk, text="（笑）"))
        assert texts(session) == [*LINES[:2], "（笑）", *LINES[2:]]
        inserted = lines(session)[2]
        assert (inserted.seq, inserted.is_edited) == (None, True)
        assert revised(session) == [(1, "（笑）", False)]

    def test_insert_again_and_at_the_end(self, session: Session, do: Do) -> None:
        do(InsertLine(after=lines(session)[3].pk, text="一"))
        do(InsertLine(after=lines(session)[4].pk, text="二"))
        assert texts(session) == [*LINES, "一", "二"]

    def test_remove_and_undo_and_undo_the_undoing(self, session: Session, do: Do) -> None:
        outcome = do(RemoveLine(seen=seen(lines(session)[1])))
        assert texts(session) == [LINES[0], *LINES[2:]]
        outcome = do(outcome.undo)
        assert texts(session) == LINES
        do(outcome.undo)
        assert texts(session) == [LINES[0], *LINES[2:]]

    def test_insert_and_undo(self, session: Session, do: Do) -> None:
        outcome = do(InsertLine(after=lines(session)[0].pk, text="一"))
        do(outcome.undo)
        assert texts(session) == LINES


class TestReplace:
    def test_in_the_lines_that_were_chosen(self, session: Session, do: Do) -> None:
        chosen = [lines(session)[index] for index in (0, 3)]
        do(ReplaceText(find="。", replacement="！", lines=[seen(line) for line in chosen]))
        assert texts(session) == ["大家好，我们开始开会！", "好的。", "预算通过了吗？", "通过了！"]

    def test_is_one_edit_to_undo(self, session: Session, do: Do) -> None:
        outcome = do(ReplaceText(find="了", replacement="", lines=[seen(line) for line in lines(session)]))
        assert texts(session)[2:] == ["预算通过吗？", "通过。"]
        do(outcome.undo)
        assert texts(session) == LINES

    def test_leaves_no_line_empty(self, session: Session, do: Do) -> None:
        with pytest.raises(NotPossible, match="would be left empty"):
            do(ReplaceText(find="好的。", replacement="", lines=[seen(lines(session)[1])]))


class TestRestore:
    def test_any_version_comes_back(self, session: Session, do: Do) -> None:
        for text in ("一", "二", "三"):
            do(ChangeText(seen=seen(lines(session)[0]), text=text))
        line = lines(session)[0]
        version = line.history.get(text="一")
        do(RestoreLines(lines=[Version(line=line.pk, revision=3, version=version.pk)]))
        assert texts(session)[0] == "一"
        assert line.history.first().history_user.username == "Alice"

    def test_undo_does_not_overwrite_what_somebody_did_since(self, session: Session, do: Do) -> None:
        outcome = do(ChangeText(seen=seen(lines(session)[0]), text="一"))
        do(ChangeText(seen=seen(lines(session)[0]), text="二"), by=make_user("Bob", "editor"))
        with pytest.raises(Conflict):
            do(outcome.undo)

    def test_a_version_of_another_line_is_refused(self, session: Session, do: Do) -> None:
        do(ChangeText(seen=seen(lines(session)[0]), text="一"))
        one, two = lines(session)[:2]
        with pytest.raises(NotPossible, match="no such version"):
            do(RestoreLines(lines=[Version(line=two.pk, revision=0, version=one.history.first().pk)]))

    def test_a_voice_that_was_merged_since_is_what_it_became(self, session: Session, do: Do) -> None:
        bob = make_voice(session, "Bob")
        outcome = do(GiveLine(seen=seen(lines(session)[0]), who=Who(speaker_id=bob.public_id)))
        stranger = session.voices.get(number=1)
        do(NameVoice(voice=stranger.public_id, who=Who(name="Carol")))
        undo = outcome.undo
        line = lines(session)[0]
        do(RestoreLines(lines=[Version(line=line.pk, revision=line.revision, version=undo.lines[0].version)]))
        assert names(session) == 4 * ["Carol"]


class TestRestoreAcrossLines:
    """A version of a line from before others came or went with it."""

    @staticmethod
    def restore(line: Utterance, text: str) -> RestoreLines:
        line.refresh_from_db()
        version = line.history.filter(text=text).first()
        return RestoreLines(lines=[Version(line=line.pk, revision=line.revision, version=version.pk)])

    def test_a_version_from_before_a_merge_gives_back_the_line_that_was_merged(
        self, session: Session, do: Do
    ) -> None:
        first, second = lines(session)[:2]
        do(MergeLines(seen=seen(first), following=seen(second)))
        outcome = do(self.restore(first, LINES[0]))
        assert texts(session) == LINES
        assert {line.pk for line in outcome.lines} == {first.pk, second.pk}
        do(outcome.undo)
        assert texts(session) == [LINES[0] + LINES[1], *LINES[2:]]

    def test_a_chain_of_merges_comes_apart_up_to_that_version(self, session: Session, do: Do) -> None:
        first = lines(session)[0]
        for _ in range(2):
            one, two = lines(session)[:2]
            do(MergeLines(seen=seen(one), following=seen(two)))
        do(self.restore(first, LINES[0] + LINES[1]))
        assert texts(session) == [LINES[0] + LINES[1], *LINES[2:]]
        do(self.restore(first, LINES[0]))
        assert texts(session) == LINES

    def test_the_merged_version_takes_the_other_line_again(self, session: Session, do: Do) -> None:
        first, second = lines(session)[:2]
        do(do(MergeLines(seen=seen(first), following=seen(second))).undo)
        do(self.restore(first, LINES[0] + LINES[1]))
        assert texts(session) == [LINES[0] + LINES[1], *LINES[2:]]

    def test_a_version_from_before_a_split_takes_the_part_that_was_cut_off(
        self, session: Session, do: Do
    ) -> None:
        line = lines(session)[2]
        do(SplitLine(seen=seen(line), first="预算", second="通过了吗？"))
        do(self.restore(line, LINES[2]))
        assert texts(session) == LINES

    def test_what_somebody_removed_since_stays_removed(self, session: Session, do: Do) -> None:
        first, second = lines(session)[:2]
        do(do(MergeLines(seen=seen(first), following=seen(second))).undo)
        do(RemoveLine(seen=seen(lines(session)[1])))
        do(ChangeText(seen=seen(lines(session)[0]), text="一"))
        do(self.restore(first, LINES[0]))
        assert texts(session) == [LINES[0], *LINES[2:]]

    def test_lines_of_one_find_and_replace_stay_as_they_are(self, session: Session, do: Do) -> None:
        do(ReplaceText(find="了", replacement="", lines=[seen(line) for line in lines(session)]))
        do(self.restore(lines(session)[2], LINES[2]))
        assert texts(session)[2:] == [LINES[2], "通过。"]


class TestTitle:
    def test_changes_and_comes_back(self, session: Session, do: Do) -> None:
        outcome = do(ChangeTitle(seen="", title="周会"))
        session.refresh_from_db()
        assert session.title == "周会"
        do(outcome.undo)
        session.refresh_from_db()
        assert session.title == ""

    def test_somebody_else_s_title_is_not_overwritten(self, session: Session, do: Do) -> None:
        do(ChangeTitle(seen="", title="周会"))
        with pytest.raises(Conflict, match="“周会”"):
            do(ChangeTitle(seen="", title="例会"))


def test_an_edit_costs_the_same_in_a_long_meeting(
    session: Session, do: Do, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_lines(session, 200 * ["好的。"])
    with django_assert_max_num_queries(20):
        do(ChangeText(seen=seen(lines(session)[100]), text="好。"))
