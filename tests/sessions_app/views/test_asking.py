"""Questions by HTTP: to one meeting, and to all that one may see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sessions_app.minutes import asking
from sessions_app.models import Question, Session
from speakers.models import Job
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

SAID = ["今天讨论预算。", "云服务预算定六十五万。", "大家辛苦了。"]
ASKED = "云服务的预算是多少？"


@pytest.fixture
def session() -> Session:
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session, SAID, voice=make_voice(session, "陈伟"))
    return session


def client_of(name: str, *roles: str) -> Client:
    client = Client(HTTP_ACCEPT="application/json", REMOTE_ADDR="203.0.113.9")
    client.force_login(make_user(name, *roles))
    return client


@pytest.fixture
def client() -> Client:
    return client_of("Alice", "editor")


@pytest.fixture
def model(settings: Settings) -> None:
    settings.LLM_URL, settings.LLM_MODEL = "http://127.0.0.1:1/v1", "small"


def ask(client: Client, question: object = ASKED, **more: Any) -> Any:
    body = json.dumps({"question": question, **more})
    return client.post(reverse("ask"), body, content_type="application/json")


def test_a_meeting_answers_with_the_lines_that_match_best(client: Client, session: Session) -> None:
    answer = ask(client, session=session.key).json()
    assert [line["text"] for line in answer["lines"]] == [SAID[1], SAID[0]]
    best = answer["lines"][0]
    assert (best["start_ms"], best["speaker_name"]) == (2000, "陈伟")
    assert best["url"].endswith(f"#line-{session.utterances.get(seq=2).pk}")
    assert answer["question"] is None


def test_all_meetings_answer_with_those_that_one_may_see(client: Client, session: Session) -> None:
    other = make_session("other")
    make_lines(other, ["云服务预算批了。"])
    assert {line["session"] for line in ask(client).json()["lines"]} == {str(session), str(other)}
    assert ask(client_of("Tom", "transcriber")).json()["lines"] == []


@pytest.mark.usefixtures("model")
class TestWithALanguageModel:
    def test_nothing_is_sent_before_somebody_says_so(self, client: Client, session: Session) -> None:
        answer = ask(client, session=session.key).json()
        assert answer["request"]["model"] == "small"
        assert SAID[1] in answer["request"]["requests"][0][1]
        assert not Job.objects.exists()
        state = client.post(reverse("question", args=[answer["question"]])).json()
        assert state == {"is_at_work": True, "error": "", "answers": None}
        assert Job.objects.get().kind == asking.ANSWER

    def test_sent_twice_is_once(self, client: Client, session: Session) -> None:
        key = ask(client, session=session.key).json()["question"]
        for _time in range(2):
            client.post(reverse("question", args=[key]))
        assert Job.objects.count() == 1

    def test_answers_are_for_whoever_asked(self, client: Client, session: Session) -> None:
        key = ask(client, session=session.key).json()["question"]
        Question.objects.update(answers=[{"text": "六十五万", "lines": [session.utterances.get(seq=2).pk]}])
        answers = client.get(reverse("question", args=[key])).json()["answers"]
        assert [(answer["text"], answer["lines"][0]["text"]) for answer in answers] == [("六十五万", SAID[1])]
        assert client_of("Bob", "editor").get(reverse("question", args=[key])).status_code == 404

    def test_who_may_not_see_the_meeting_any_more_sees_no_answer(self, session: Session) -> None:
        owner = Client(HTTP_ACCEPT="application/json", REMOTE_ADDR="203.0.113.9")
        assert session.owner
        owner.force_login(session.owner)
        key = ask(owner, session=session.key).json()["question"]
        Session.objects.update(owner=None)
        assert owner.get(reverse("question", args=[key])).status_code == 404
        assert owner.post(reverse("question", args=[key])).status_code == 404

    def test_a_visitor_without_a_login_sends_nothing(self, session: Session) -> None:
        answer = ask(Client(HTTP_ACCEPT="application/json"), session=session.key).json()
        assert (len(answer["lines"]), answer["question"]) == (2, None)

    def test_once_forbidden_it_is_refused(self, client: Client, session: Session) -> None:
        key = ask(client, session=session.key).json()["question"]
        Session.objects.update(no_language_model=True)
        answer = client.post(reverse("question", args=[key]))
        assert answer.status_code == 422
        assert "never sent" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "status"), [("{", 400), ("[" * 99_999, 400), ("[]", 400), ('{"question": ""}', 400)]
)
def test_what_makes_no_sense_is_refused(client: Client, body: str, status: int) -> None:
    answer = client.post(reverse("ask"), body, content_type="application/json")
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_meeting_that_one_may_not_see_is_not_there(session: Session) -> None:
    assert ask(client_of("Tom", "transcriber"), session=session.key).status_code == 404


def test_a_page_asks_all_meetings(client: Client) -> None:
    assert "Ask all meetings" in client.get(reverse("ask-all"), HTTP_ACCEPT="text/html").content.decode()
