"""The first lines of a transcript, as they stand in the page itself."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import translation

from sessions_app.models import Session, Voice
from sessions_app.transcripts import transcript
from sessions_app.views.first_lines import COUNT, FirstLine, first_lines

from ..meetings import make_lines, make_session, make_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session("long")


def shown(session: Session, *, is_live: bool = False) -> list[FirstLine]:
    return first_lines(transcript.read(session), is_live=is_live)


def test_a_reader_begins_at_the_beginning_and_who_follows_at_the_end(session: Session) -> None:
    make_lines(session, [f"第{number}行" for number in range(100)])
    assert [line.text for line in shown(session)] == [f"第{number}行" for number in range(COUNT)]
    assert [line.text for line in shown(session, is_live=True)][-1] == "第99行"


def test_whoever_goes_on_is_not_named_again_and_voices_have_their_colours(session: Session) -> None:
    Voice.objects.create(session=session, number=1)
    second, third = make_voice(session, "李雷"), Voice.objects.create(session=session, number=2)
    for voice, text in [(third, "你好。"), (second, "Hello."), (second, "好。")]:
        make_lines(session, [text], voice)
    lines = sorted(shown(session), key=lambda line: line.line_id)
    assert [line.name for line in lines] == ["Speaker 2", "李雷", "李雷"]
    assert [line.initial for line in lines] == ["2", "李", "李"]
    assert [line.language for line in lines] == ["zh-Hans", "en", "zh-Hans"]
    assert {line.classes.split()[1] for line in lines} == {"voice-3", "voice-2"}


def test_nobody_in_particular_has_no_colour_and_a_name(session: Session) -> None:
    make_lines(session, ["好。"])
    [line] = shown(session)
    assert (line.classes, line.name) == ("line voice-0", "Unknown speaker")
    with translation.override("zh-hans"):
        assert shown(session)[0].name == "未知发言人"


def test_a_line_that_was_corrected_says_so(session: Session) -> None:
    make_lines(session, ["好。"])
    session.utterances.update(is_edited=True)
    assert shown(session)[0].classes == "line voice-0 is-edited"


def test_words_are_words_in_the_page(session: Session) -> None:
    make_lines(session, ["<b>好</b>"])
    html = Client().get(session.get_absolute_url()).content.decode()
    assert '<p class="text" lang="zh-Hans">&lt;b&gt;好&lt;/b&gt;</p>' in html


def test_a_page_of_nothing_has_none(session: Session) -> None:
    assert shown(session) == []
