"""Minutes in files that are taken away, and to-dos in calendars."""

from __future__ import annotations

import io
import json
from datetime import date

import docx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from icalendar import Calendar

from sessions_app.minutes import keeping
from sessions_app.models import MinutesItem, Session
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

PROMISE, DECISION = "我明天把测试报告发给大家。", "那发布时间就定在下周二。"


@pytest.fixture
def session() -> Session:
    session = make_session(title="周会", owner=make_user("owner", "transcriber"))
    make_lines(session, [PROMISE, DECISION], voice=make_voice(session, "赵敏"))
    keeping.make(session)
    MinutesItem.objects.filter(section="action").update(due=date(2026, 12, 1))
    return session


def exported(session: Session, format_: str, **options: str) -> bytes:
    client = Client()
    client.force_login(session.owner)  # type: ignore[arg-type]  # it has one
    answer = client.get(reverse("export", args=[session.key, format_]), options)
    assert answer.status_code == 200
    return answer.content


def test_text_has_them_before_what_was_said(session: Session) -> None:
    text = exported(session, "txt").decode()
    assert f"Decisions\n0:02 {DECISION}" in text
    assert f"To do\n☐ 0:00 {PROMISE} (赵敏, 1 Dec 2026 (明天))" in text
    assert text.index("Decisions") < text.rindex(DECISION)


def test_markdown_has_tasks_that_can_be_ticked(session: Session) -> None:
    MinutesItem.objects.filter(section="action").update(is_done=True)
    text = exported(session, "md").decode()
    assert f"## To do\n\n- [x] `0:00` {PROMISE} **赵敏, 1 Dec 2026 (明天)**" in text
    assert "## Transcript" in text


def test_word_has_them_under_headings(session: Session) -> None:
    document = docx.Document(io.BytesIO(exported(session, "docx")))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[texts.index("Decisions") + 1] == f"0:02  {DECISION}"
    assert f"0:00  ☐ {PROMISE}  赵敏, 1 Dec 2026 (明天)" in texts


def test_json_has_all_of_them(session: Session) -> None:
    minutes = json.loads(exported(session, "json"))["minutes"]
    assert {item["section"] for item in minutes["items"]} >= {"decision", "action"}


@pytest.mark.parametrize("format_", ["txt", "md", "json"])
def test_they_can_be_left_out(session: Session, format_: str) -> None:
    assert exported(session, format_, minutes="0").decode().count(DECISION) == 1


def test_paper_shows_them(session: Session) -> None:
    client = Client()
    client.force_login(session.owner)  # type: ignore[arg-type]  # it has one
    page = client.get(reverse("paper", args=[session.key])).content.decode()
    assert "<h2>Decisions</h2>" in page
    assert page.count(DECISION) == 2


def test_headings_are_in_the_reader_s_language(session: Session) -> None:
    with translation.override("zh-hans"):
        client = Client(HTTP_ACCEPT_LANGUAGE="zh-hans")
        client.force_login(session.owner)  # type: ignore[arg-type]  # it has one
        text = client.get(reverse("export", args=[session.key, "txt"])).content.decode()
    assert "待办事项\n☐ 0:00" in text


class TestCalendar:
    def test_has_a_task_for_each_to_do(self, session: Session) -> None:
        [task] = Calendar.from_ical(exported(session, "ics")).walk("VTODO")
        assert str(task["summary"]) == f"赵敏: {PROMISE}"
        assert task.decoded("due") == date(2026, 12, 1)
        assert str(task["status"]) == "NEEDS-ACTION"
        assert str(task["description"]) == "周会 0:00"

    def test_has_the_same_task_again_when_it_is_done(self, session: Session) -> None:
        [before] = Calendar.from_ical(exported(session, "ics")).walk("VTODO")
        MinutesItem.objects.filter(section="action").update(is_done=True)
        [after] = Calendar.from_ical(exported(session, "ics")).walk("VTODO")
        assert before["uid"] == after["uid"]
        assert str(after["status"]) == "COMPLETED"

    def test_without_minutes_has_none(self) -> None:
        session = make_session("empty", owner=make_user("other", "transcriber"))
        assert Calendar.from_ical(exported(session, "ics")).walk("VTODO") == []

    def test_keeps_words_words(self, session: Session) -> None:
        strange = "x\r\nBEGIN:VALARM;一,二"
        MinutesItem.objects.filter(section="action").update(text=strange)
        calendar = Calendar.from_ical(exported(session, "ics"))
        [task] = calendar.walk("VTODO")
        assert calendar.walk("VALARM") == []
        assert str(task["summary"]) == "赵敏: x BEGIN:VALARM;一,二"
