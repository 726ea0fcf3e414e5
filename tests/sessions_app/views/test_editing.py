"""Edits by HTTP: who may, what is answered, what goes wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from sessions_app.models import Session
from speakers.models import Speaker
from tests.sessions_app.meetings import LINES, make_lines, make_session, make_user, make_voice, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session, voice=make_voice(session))
    return session


@pytest.fixture
def client() -> Client:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(make_user("Alice", "editor"))
    return client


def change(session: Session, text: str = "好。", revision: int = 0) -> dict[str, Any]:
    line = session.utterances.order_by("start")[1]
    return {"kind": "text", "seen": {"line": line.pk, "revision": revision}, "text": text}


def post(client: Client, session: Session, request: object) -> Any:
    address = reverse("edit", args=[session.key])
    return client.post(address, json.dumps(request), content_type="application/json")


def test_answers_with_the_changed_lines_and_how_to_undo(client: Client, session: Session) -> None:
    answer = post(client, session, change(session)).json()
    [line] = answer["lines"]
    assert (line["asr"], line["revision"], line["edited"], line["removed"]) == ("好。", 1, True, False)
    undone = post(client, session, answer["undo"]).json()
    assert undone["lines"][0]["asr"] == "好的。"
    assert (answer["was"], undone["was"]) == ({str(line["id"]): 0}, {str(line["id"]): 1})


def test_a_conflict_shows_the_line_as_it_is(client: Client, session: Session) -> None:
    post(client, session, change(session))
    answer = post(client, session, change(session, "不好。"))
    assert answer.status_code == 409
    assert answer.json()["lines"][0]["asr"] == "好。"
    assert answer.json()["error"] == "Somebody has changed this meanwhile."


def test_nonsense_is_said_to_be_nonsense(client: Client, session: Session) -> None:
    assert post(client, session, {"kind": "explode"}).status_code == 400
    answer = post(client, session, change(session) | {"seen": {"line": 10**9, "revision": 0}})
    assert (answer.status_code, answer.json()["error"]) == (
        422,
        "There is no line 1000000000 in this session.",
    )


@pytest.mark.parametrize(
    ("visitor", "status"),
    [("", 401), ("viewer", 403), ("enroller", 403), ("transcriber", 404), ("owner", 200), ("editor", 200)],
)
def test_only_who_may_edit_edits(session: Session, visitor: str, status: int) -> None:
    client = Client(HTTP_ACCEPT="application/json", REMOTE_ADDR="203.0.113.9")
    if visitor:
        client.force_login(owner_of(session) if visitor == "owner" else make_user(visitor, visitor))
    assert post(client, session, change(session)).status_code == status


def test_from_this_machine_one_edits_only_with_a_login(session: Session) -> None:
    assert post(Client(HTTP_ACCEPT="application/json"), session, change(session)).status_code == 401


def test_another_site_s_form_cannot_edit(session: Session) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner_of(session))
    assert post(client, session, change(session)).status_code == 403


def test_when_each_word_was_said(client: Client, session: Session) -> None:
    line = session.utterances.order_by("start")[3]
    answer = client.get(reverse("words-of-line", args=[session.key, line.pk])).json()
    assert answer == {"revision": 0, "words": [[0, 1, 6000, 6666], [1, 2, 6666, 7333], [2, 3, 7333, 8000]]}


def test_the_versions_of_a_line_newest_first(client: Client, session: Session) -> None:
    post(client, session, change(session))
    line = session.utterances.order_by("start")[1]
    answer = client.get(reverse("versions-of-line", args=[session.key, line.pk])).json()
    assert answer["machine_text"] == "好的。"
    assert [(v["text"], v["by"], v["speaker"]) for v in answer["versions"]] == [
        ("好。", "Alice", "Speaker 1"), ("好的。", "", "Speaker 1"),
    ]  # fmt: skip


def test_lines_of_other_sessions_tell_nothing(client: Client, session: Session) -> None:
    [foreign] = make_lines(make_session("another"), ["秘密。"])
    for name in ("words-of-line", "versions-of-line"):
        assert client.get(reverse(name, args=[session.key, foreign.pk])).status_code == 404


def test_known_people_are_found_by_any_part_of_their_name(client: Client, session: Session) -> None:
    for name in ("张三", "李四", "张三丰"):
        Speaker.objects.create(name=name)
    answer = client.get(reverse("people", args=[session.key]), {"q": "三"}).json()
    assert ([person["name"] for person in answer["people"]], answer["may_add"]) == (["张三", "张三丰"], True)


def test_who_may_not_see_the_directory_is_shown_nobody(session: Session) -> None:
    Speaker.objects.create(name="张三")
    Permission.objects.get(codename="view_speaker").group_set.clear()
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(owner_of(session))
    answer = client.get(reverse("people", args=[session.key])).json()
    assert answer == {"people": [], "may_add": False}


def test_the_transcript_says_everything_that_editors_need(client: Client, session: Session) -> None:
    answer = client.get(reverse("lines", args=[session.key])).json()
    assert [line["asr"] for line in answer["lines"]] == LINES
    assert {"id", "revision", "edited", "spk", "start_ms", "end_ms"} <= answer["lines"][0].keys()
