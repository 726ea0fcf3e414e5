"""Hotwords of a session: its own come first, then everybody's, then the names of those who are enrolled."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from recognition.hotwords import Hotword
from sessions_app.models import CommonHotword, Session
from sessions_app.store import commits, hotwords
from speakers.models import Speaker
from tests.sessions_app.meetings import make_session

pytestmark = pytest.mark.django_db


def heard(session: Session) -> list[tuple[str, float]]:
    found = hotwords.of_session(session.pk)
    return [(word.text, word.weight) for word in found.words] if found else []


def begin(key: str, *words: Hotword, continues: str = "") -> Session:
    return commits.get_or_create_session(key, hotwords=words, continues=continues)[0]


def test_there_are_none_at_first() -> None:
    assert hotwords.of_session(make_session("m").pk) is None


def test_own_ones_come_first_then_everybody_s_then_names() -> None:
    Speaker.objects.create(name="王磊")
    CommonHotword.objects.create(text="实时字幕", weight=10)
    CommonHotword.objects.create(text="OSS", weight=30)

    assert heard(begin("m", Hotword("OSS", 80))) == [("OSS", 80), ("实时字幕", 10), ("王磊", 20)]


def test_names_that_can_be_no_hotwords_are_left_out() -> None:
    Speaker.objects.create(name="王")
    Speaker.objects.create(name="Speaker (guest)")

    assert heard(make_session("m")) == []


def test_they_are_those_of_a_new_session_alone() -> None:
    begin("m", Hotword("王磊"))
    again = begin("m", Hotword("李雷"))

    assert heard(again) == [("王磊", 20)]


def test_a_session_that_goes_on_with_another_has_its_hotwords() -> None:
    begin("a", Hotword("王磊"))
    Session.objects.update(state=Session.State.ENDED)

    assert heard(begin("b", continues="a")) == [("王磊", 20)]


class TestEverybodys:
    @pytest.mark.parametrize("text", ["", "王", "王磊=>汪磊", "字" * 11])
    def test_what_can_be_no_hotword_is_refused(self, text: str) -> None:
        with pytest.raises(ValidationError):
            CommonHotword(text=text).full_clean()

    def test_is_kept_in_one_spelling(self) -> None:
        word = CommonHotword(text="  ＯＳＳ  阿里 ")
        word.full_clean()

        assert word.text == "OSS 阿里"

    @pytest.mark.parametrize("weight", [0, 101])
    def test_has_a_weight_from_1_to_100(self, weight: int) -> None:
        with pytest.raises(ValidationError):
            CommonHotword(text="王磊", weight=weight).full_clean()

    def test_are_a_thousand_at_most(self) -> None:
        CommonHotword.objects.bulk_create(CommonHotword(text=f"word {n}") for n in range(1000))
        with pytest.raises(ValidationError, match="There are 1000 hotwords"):
            CommonHotword(text="王磊").full_clean()
