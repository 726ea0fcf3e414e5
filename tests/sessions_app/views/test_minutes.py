"""Minutes by HTTP: reading them, and changing them by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from audit.models import Action, Entry
from sessions_app.minutes import keeping
from sessions_app.models import AccessToken, MinutesItem, MinutesTemplate, Session
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

SAID = ["我明天把测试报告发给大家。", "那发布时间就定在下周二。"]


@pytest.fixture
def session() -> Session:
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session, SAID, voice=make_voice(session, "赵敏"))
    keeping.make(session)
    return session


@pytest.fixture
def client() -> Client:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(make_user("Alice", "editor"))
    return client


def post(client: Client, session: Session, request: object) -> Any:
    address = reverse("minutes", args=[session.key])
    return client.post(address, json.dumps(request), content_type="application/json")


def read(client: Client, session: Session) -> Any:
    return client.get(reverse("minutes", args=[session.key]))


def items(answer: Any, section: str) -> list[dict[str, Any]]:
    return [item for item in answer.json()["minutes"]["items"] if item["section"] == section]


def key_of(session: Session, section: str) -> int:
    return MinutesItem.objects.get(session=session, section=section).pk


def test_a_reader_gets_all_of_them(client: Client, session: Session) -> None:
    answer = read(client, session)
    assert [item["text"] for item in items(answer, "action")] == SAID[:1]
    assert [item["text"] for item in items(answer, "decision")] == SAID[1:]
    assert answer.json()["minutes"]["is_out_of_date"] is False


def test_before_they_are_made_there_are_none(client: Client) -> None:
    assert read(client, make_session("other")).json() == {"minutes": None, "writer": None}


def test_other_words_another_person_and_another_day_stay_when_they_are_made_again(
    client: Client, session: Session
) -> None:
    other = make_voice(session, "陈伟")
    request: dict[str, Any] = {
        "kind": "change",
        "item": key_of(session, "action"),
        "text": " 发测试报告\n",
        "who": other.public_id,
        "due": "2026-12-24",
    }
    answer = post(client, session, request)
    assert (answer.status_code, answer.json()["item"]) == (200, request["item"])
    answer = post(client, session, {"kind": "again"})
    assert answer.json()["item"] is None
    [action] = items(answer, "action")
    assert (action["text"], action["who"]["speaker_name"], action["due"]) == (
        "发测试报告",
        "陈伟",
        "2026-12-24",
    )
    assert action["is_edited"]
    assert MinutesItem.objects.get(pk=request["item"]).machine_text == SAID[0]


def test_nobody_and_no_day_can_be_said(client: Client, session: Session) -> None:
    key = key_of(session, "action")
    answer = post(client, session, {"kind": "change", "item": key, "text": "x", "who": "", "due": ""})
    [action] = items(answer, "action")
    assert (action["who"], action["due"]) == (None, None)


def test_the_machine_s_words_can_be_had_back(client: Client, session: Session) -> None:
    key = key_of(session, "decision")
    post(client, session, {"kind": "change", "item": key, "text": "周二发布"})
    [decision] = items(post(client, session, {"kind": "reset", "item": key}), "decision")
    assert (decision["text"], decision["is_edited"]) == (SAID[1], False)


def test_what_is_taken_out_can_be_put_back(client: Client, session: Session) -> None:
    key = key_of(session, "decision")
    assert items(post(client, session, {"kind": "remove", "item": key}), "decision") == []
    assert post(client, session, {"kind": "remove", "item": key}).status_code == 422
    assert len(items(post(client, session, {"kind": "restore", "item": key}), "decision")) == 1


def test_a_task_is_done_or_not(client: Client, session: Session) -> None:
    key = key_of(session, "action")
    assert items(post(client, session, {"kind": "done", "item": key}), "action")[0]["is_done"]
    assert not items(post(client, session, {"kind": "undone", "item": key}), "action")[0]["is_done"]


def test_a_statement_of_one_s_own_cites_lines_of_this_meeting_alone(client: Client, session: Session) -> None:
    [foreign] = make_lines(make_session("other"), ["别的会。"])
    own = session.utterances.get(seq=2)
    request = {"kind": "add", "section": "decision", "text": "周二发布", "lines": [own.pk, foreign.pk]}
    answer = post(client, session, request)
    [added] = [item for item in items(answer, "decision") if item["source"] == "person"]
    assert added["lines"] == [{"line_id": own.pk, "start_ms": 2000}]


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        ({"kind": "explode"}, 400, "explode"),
        ({"kind": "add", "section": "figure", "text": "x"}, 400, "section"),
        ({"kind": "add", "section": "decision", "text": " "}, 400, "there is no text"),
        ({"kind": "done", "item": 2**70}, 400, "item"),
        ({"kind": "done", "item": 999_999}, 422, "not in the minutes"),
        ([], 400, ""),
    ],
)
def test_what_cannot_be_done_is_said(
    client: Client, session: Session, request_: object, status: int, error: str
) -> None:
    answer = post(client, session, request_)
    assert answer.status_code == status
    assert error in answer.json()["error"]


def test_a_person_who_does_not_speak_there_cannot_be_named(client: Client, session: Session) -> None:
    stranger = make_voice(make_session("other"), "林静")
    request = {"kind": "change", "item": key_of(session, "action"), "text": "x", "who": stranger.public_id}
    answer = post(client, session, request)
    assert (answer.status_code, answer.json()["error"]) == (422, "Nobody like that speaks in this meeting.")


def test_items_of_another_meeting_are_not_there(client: Client, session: Session) -> None:
    other = make_session("other")
    make_lines(other, SAID)
    keeping.make(other)
    request = {"kind": "remove", "item": key_of(other, "decision")}
    assert post(client, session, request).status_code == 422


def test_those_of_a_running_meeting_are_read_and_not_changed(client: Client) -> None:
    live = make_session("live", is_live=True)
    make_lines(live, SAID)
    keeping.make(live)
    answer = read(client, live)
    assert [item["text"] for item in items(answer, "decision")] == SAID[1:]
    assert answer.json()["minutes"]["is_so_far"] is True
    assert post(client, live, {"kind": "again"}).status_code == 422


def test_a_language_model_takes_notes_on_a_running_meeting_as_long_as_it_is_wanted(
    client: Client, settings: Settings
) -> None:
    settings.LLM_URL, settings.LLM_MODEL = "http://127.0.0.1:1/v1", "small"
    live = make_session("live", is_live=True)
    writer = post(client, live, {"kind": "write"}).json()["writer"]
    assert (writer["is_along"], writer["job"]["is_at_work"]) == (True, True)
    assert post(client, live, {"kind": "stop"}).json()["writer"]["job"] is None
    kinds = [entry.detail["kind"] for entry in Entry.objects.filter(action=Action.MINUTES_CHANGED)]
    assert sorted(kinds) == ["stop", "write"]


def test_who_may_only_read_changes_nothing(session: Session) -> None:
    viewer = Client(HTTP_ACCEPT="application/json")
    viewer.force_login(make_user("Vera", "viewer"))
    assert read(viewer, session).status_code == 200
    assert post(viewer, session, {"kind": "again"}).status_code == 403


def test_a_share_link_shows_what_was_said_alone(session: Session) -> None:
    _token, secret = AccessToken.issue(name="link", role="receiver", session_key=session.key)
    answer = Client(REMOTE_ADDR="203.0.113.9").get(reverse("minutes", args=[session.key]), {"token": secret})
    assert answer.status_code == 404


def test_every_change_is_on_record_without_a_word(client: Client, session: Session) -> None:
    key = key_of(session, "decision")
    post(client, session, {"kind": "change", "item": key, "text": "周二发布"})
    post(client, session, {"kind": "again"})
    entries = Entry.objects.filter(action=Action.MINUTES_CHANGED, meeting=session.key).order_by("pk")
    assert [entry.detail for entry in entries] == [{"item": key, "kind": "change"}, {"kind": "again"}]
    assert {entry.actor_name for entry in entries} == {"Alice"}


def test_what_would_be_sent_is_shown_by_any_template(
    client: Client, session: Session, settings: Settings
) -> None:
    settings.LLM_URL, settings.LLM_MODEL = "http://127.0.0.1:1/v1", "small"
    template = MinutesTemplate.objects.create(name="Stand-up", instructions="Be brief.")
    address = reverse("minutes-request", args=[session.key])
    assert "Be brief." in client.get(address, {"template": template.pk}).json()["requests"][0][0]
    for other in ("", "0", "x", "9" * 30):
        assert "Be brief." not in client.get(address, {"template": other}).json()["requests"][0][0]
    writer = post(client, session, {"kind": "write", "template": template.pk}).json()["writer"]
    assert writer["templates"] == [{"id": template.pk, "name": "Stand-up", "is_chosen": True}]
    assert "Be brief." in client.get(address).json()["requests"][0][0]
