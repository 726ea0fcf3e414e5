"""Translation of a meeting by HTTP: how it stands, and to have it or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from audit.models import Action, Entry
from minutes.languages import LANGUAGES
from sessions_app.minutes import language_model
from sessions_app.models import Session, TranslatedLine, Translation
from tests.sessions_app.meetings import make_lines, make_session, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def model(settings: Settings) -> None:
    settings.LLM_URL, settings.LLM_MODEL = "http://127.0.0.1:1/v1", "small"


@pytest.fixture
def session() -> Session:
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session)
    return session


@pytest.fixture
def client() -> Client:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(make_user("Alice", "editor"))
    return client


def ask(client: Client, session: Session, request: object = None) -> Any:
    address = reverse("translation", args=[session.key])
    if request is None:
        return client.get(address)
    return client.post(address, json.dumps(request), content_type="application/json")


def test_it_is_off_and_says_where_lines_would_go(client: Client, session: Session) -> None:
    told = ask(client, session).json()
    assert (told["is_on"], told["language"], told["left"]) == (False, "", 0)
    assert (told["model"], told["server"]) == ("small", "127.0.0.1")
    assert [code for code, _name in told["choices"]] == list(LANGUAGES)


def test_it_is_on_once_a_language_is_chosen_and_that_is_on_record(client: Client, session: Session) -> None:
    told = ask(client, session, {"language": "en"}).json()
    assert (told["is_on"], told["language"], told["left"]) == (True, "en", 4)
    own = Translation.objects.get(session=session)
    assert own.asked_by
    assert own.asked_by.username == "Alice"
    [entry] = Entry.objects.filter(action=Action.MINUTES_CHANGED)
    assert entry.detail["language"] == "en"


def test_it_is_off_again_with_none(client: Client, session: Session) -> None:
    ask(client, session, {"language": "en"})
    told = ask(client, session, {"language": ""}).json()
    assert (told["is_on"], told["language"]) == (False, "en")


@pytest.mark.parametrize("request_", [{"language": "tlh"}, {"language": 1}, {}, []])
def test_a_language_that_is_none_is_refused(client: Client, session: Session, request_: object) -> None:
    assert ask(client, session, request_).status_code == 400


@pytest.mark.parametrize("text", ["{", "[" * 99_999])
def test_what_is_no_json_is_refused(client: Client, session: Session, text: str) -> None:
    address = reverse("translation", args=[session.key])
    assert client.post(address, text, content_type="application/json").status_code == 400
    assert not Translation.objects.exists()


def test_a_meeting_that_is_never_sent_is_not_translated(client: Client, session: Session) -> None:
    language_model.forbid(session, True)
    answer = ask(client, session, {"language": "en"})
    assert (answer.status_code, Translation.objects.exists()) == (422, False)


def test_without_a_model_there_is_none(client: Client, session: Session, settings: Settings) -> None:
    settings.LLM_URL = ""
    assert ask(client, session).status_code == 404
    assert b"translate-hint" not in client.get(reverse("record")).content


def test_files_have_it_when_they_are_asked_to(client: Client, session: Session) -> None:
    ask(client, session, {"language": "en"})
    for line in session.utterances.all():
        TranslatedLine.objects.create(utterance=line, language="en", source=line.text, text="In English.")
    for format_ in ("txt", "md", "srt", "vtt", "json"):
        address = reverse("export", args=[session.key, format_])
        assert b"In English." not in client.get(address).content
        assert client.get(address, {"translation": "1"}).content.count(b"In English.") == 4
    paper = reverse("paper", args=[session.key])
    assert b"In English." not in client.get(paper).content
    assert client.get(paper, {"translation": "1"}).content.count(b"In English.") == 4
