"""What could be a rule: said by corrections and by sound, at least twice, and never applied."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from recognition.writing.changes import Rewrite, as_columns
from sessions_app.models import Session, Utterance
from sessions_app.store import writing_rules
from sessions_app.transcripts.rule_suggestions import Suggestion, sound, sounding_like, suggestions
from tests.sessions_app.meetings import make_lines, make_session
from tests.speakers.people import make_speaker

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session()


def correct(session: Session, pairs: Iterable[tuple[str, str]]) -> None:
    """Lines that the machine wrote so, and people otherwise."""
    for before, after in pairs:
        [line] = make_lines(session, [before])
        Utterance.objects.filter(pk=line.pk).update(machine_text=before, text=after, is_edited=True)


def suggested() -> list[Suggestion]:
    return suggestions(Session.objects.all())


class TestCorrections:
    def test_that_were_made_twice_are_suggested(self, session: Session) -> None:
        correct(session, [("找汪磊。", "找王磊。"), ("汪磊呢？", "王磊呢？"), ("用飞跃。", "用飞书。")])
        assert suggested() == [Suggestion("汪磊", "王磊", 2)]

    def test_are_compared_with_what_was_written(self, session: Session) -> None:
        rewrites = as_columns([Rewrite(0, 3, "百分之八十", "80%")])
        for _ in range(2):
            [line] = make_lines(session, ["x"])
            heard, text = "百分之八十给汪磊", "80%给王磊"
            Utterance.objects.filter(pk=line.pk).update(
                machine_text=heard, text=text, rewrites=rewrites, is_edited=True
            )
        assert suggested() == [Suggestion("汪磊", "王磊", 2)]

    def test_that_are_rules_by_now_are_not_suggested_again(self, session: Session) -> None:
        correct(session, [("找汪磊。", "找王磊。"), ("汪磊呢？", "王磊呢？")])
        writing_rules.add("汪磊", "王磊")
        assert suggested() == []

    def test_of_meetings_that_nobody_may_see_tell_nothing(self, session: Session) -> None:
        correct(session, [("找汪磊。", "找王磊。"), ("汪磊呢？", "王磊呢？")])
        assert suggestions(Session.objects.none()) == []

    def test_change_no_line(self, session: Session) -> None:
        correct(session, [("找汪磊。", "找王磊。"), ("汪磊呢？", "王磊呢？")])
        make_lines(session, ["汪磊来了。"])
        suggested()
        assert Utterance.objects.filter(text="汪磊来了。").exists()


class TestSound:
    def test_is_that_of_each_character_without_tones(self) -> None:
        assert sound("王磊OK") == ("wang", "lei", "O", "K")

    def test_of_a_name_is_found_in_other_characters(self) -> None:
        texts = ["汪雷说，王磊来。", "往类别里放", "wang lei"]
        assert list(sounding_like(texts, ["王磊", "Alice", "林"])) == [("汪雷", "王磊"), ("往类", "王磊")]

    def test_of_somebody_else_s_name_is_none(self) -> None:
        assert list(sounding_like(["林静和林晶"], ["林静", "林晶"])) == []

    def test_is_suggested_where_it_was_heard_twice(self, session: Session) -> None:
        make_speaker("王磊")
        make_lines(session, ["汪雷来了。", "问汪雷。", "往类别里放。"])
        assert suggested() == [Suggestion("汪雷", "王磊", 2, sounds_alike=True)]
