"""Rules for writing: for everybody, for one session, and what a client says of its own."""

from __future__ import annotations

import pytest

from recognition.writing.rules import MAX_LENGTH
from sessions_app.models import WritingRule
from sessions_app.store import commits, writing_rules
from sessions_app.store.writing_rules import BadRule
from sessions_app.wire.protocol import ClosedBy
from tests.sessions_app.meetings import make_session, make_user

pytestmark = pytest.mark.django_db


def holding(key: str = "m") -> list[tuple[str, str]]:
    session = make_session(key)
    return [(rule.wrong, rule.right) for rule in writing_rules.of_session(session.pk)]


class TestHolding:
    def test_are_everybody_s_and_the_session_s_own_which_come_first(self) -> None:
        session, other = make_session("a"), make_session("b")
        writing_rules.add("汪磊", "王磊")
        writing_rules.add("汪磊", "汪蕾", session=session)
        writing_rules.add("林京", "林静", session=other)
        rules = [(rule.wrong, rule.right) for rule in writing_rules.of_session(session.pk)]
        assert rules == [("汪磊", "汪蕾"), ("汪磊", "王磊")]

    def test_are_none_at_first(self) -> None:
        assert holding() == []

    def test_go_with_their_session(self) -> None:
        session = make_session("a")
        writing_rules.add("汪磊", "王磊", session=session)
        session.delete()
        assert not WritingRule.objects.exists()

    def test_stay_without_whoever_made_them(self) -> None:
        user = make_user("Alice")
        writing_rules.add("汪磊", "王磊", by=user)
        user.delete()
        assert holding() == [("汪磊", "王磊")]


class TestAdd:
    def test_a_later_rule_takes_the_place_of_an_earlier_one(self) -> None:
        first = writing_rules.add("汪磊", "王磊")
        again = writing_rules.add(" 汪磊 ", "王雷", by=make_user("Alice"))
        assert again.pk == first.pk
        assert holding() == [("汪磊", "王雷")]

    @pytest.mark.parametrize(
        ("wrong", "right", "why"),
        [
            ("", "王磊", "Say both"),
            ("汪磊", " \n", "Say both"),
            ("王磊", "王磊 ", "the same"),
            ("，", "。", "Marks alone"),
            ("汪" * (MAX_LENGTH + 1), "王", "At most 60"),
            ("汪", "王" * (MAX_LENGTH + 1), "At most 60"),
        ],
    )
    def test_what_makes_no_sense_is_refused_with_a_reason(self, wrong: str, right: str, why: str) -> None:
        with pytest.raises(BadRule, match=why):
            writing_rules.add(wrong, right)
        assert holding() == []


class TestOfAClient:
    def test_are_kept_with_its_new_session_alone(self) -> None:
        session, _ = commits.get_or_create_session("s", rules=[("汪磊", "王磊"), ("", "x"), ("林京", "林静")])
        assert {rule.wrong for rule in writing_rules.of_session(session.pk)} == {"汪磊", "林京"}
        assert holding("another") == []

    def test_hold_in_the_session_that_goes_on_with_it(self) -> None:
        earlier, _ = commits.get_or_create_session("s", rules=[("汪磊", "王磊")])
        lease = commits.acquire(earlier.pk)
        assert lease
        commits.end(lease, ClosedBy.SENDER)
        session, _ = commits.get_or_create_session("s-2", continues="s")
        assert [rule.right for rule in writing_rules.of_session(session.pk)] == ["王磊"]

    def test_are_of_no_interest_to_a_session_that_is_there(self) -> None:
        commits.get_or_create_session("s")
        session, _ = commits.get_or_create_session("s", rules=[("汪磊", "王磊")])
        assert writing_rules.of_session(session.pk) == ()

    def test_of_two_for_the_same_the_last_counts(self) -> None:
        session, _ = commits.get_or_create_session("s", rules=[("汪磊", "王磊"), ("汪磊", "王雷")])
        assert [rule.right for rule in writing_rules.of_session(session.pk)] == ["王雷"]
