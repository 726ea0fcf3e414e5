"""Edits by HTTP: who may, what is answered, what goes wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
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
    assert answer.json()["error"] == "Someone else has changed this in the meantime."


def test_nonsense_is_said_to_be_nonsense(client: Client, session: Session) -> None:
    assert post(client, session, {"kind": "explode"}).status_code == 400
    answer = post(client, session, change(session) | {"seen": {"line": 10**9, "revision": 0}})
    assert (answer.status_code, answer.json()["error"]) == (
        422,
        "There is no line 1000000000 in this meeting.",
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


def test_the_machine_s_version_has_no_time_of_an_edit(client: Client, session: Session) -> None:
    post(client, session, change(session))
    line = session.utterances.order_by("start")[1]
    versions = client.get(reverse("versions-of-line", args=[session.key, line.pk])).json()["versions"]
    assert [version["at"] is None for version in versions] == [False, True]


class TestRemovedLines:
    """A line that was taken out can be brought back as long as the session is kept."""

    @staticmethod
    def removed(client: Client, session: Session) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = client.get(reverse("removed-lines", args=[session.key])).json()["lines"]
        return lines

    def test_are_listed_and_come_back(self, client: Client, session: Session) -> None:
        seen = change(session)["seen"]
        post(client, session, {"kind": "remove", "seen": seen})
        [line] = self.removed(client, session)
        assert (line["asr"], line["by"], line["start_ms"]) == ("好的。", "Alice", 2000)
        version = {"line": line["id"], "revision": line["revision"], "version": line["version"]}
        answer = post(client, session, {"kind": "restore", "lines": [version]}).json()
        assert [(line["asr"], line["removed"]) for line in answer["lines"]] == [("好的。", False)]
        assert self.removed(client, session) == []
        post(client, session, answer["undo"])
        assert [line["asr"] for line in self.removed(client, session)] == ["好的。"]

    def test_one_whose_words_are_in_another_line_is_none_of_them(
        self, client: Client, session: Session
    ) -> None:
        first, second, third = session.utterances.order_by("start")[:3]
        marks = [{"line": line.pk, "revision": 0} for line in (first, second, third)]
        post(client, session, {"kind": "merge", "seen": marks[0], "following": marks[1]})
        split = {"kind": "split", "seen": marks[2], "first": "预算", "second": "通过了吗？"}
        post(client, session, post(client, session, split).json()["undo"])
        assert session.utterances.filter(is_removed=True).count() == 2
        assert self.removed(client, session) == []

    def test_cost_the_same_however_many(self, client: Client, session: Session) -> None:
        costs = []
        for line in session.utterances.all():
            post(client, session, {"kind": "remove", "seen": {"line": line.pk, "revision": 0}})
            with CaptureQueriesContext(connection) as queries:
                self.removed(client, session)
            costs.append(len(queries))
        assert costs == [costs[0]] * len(LINES)

    def test_are_shown_only_to_who_may_edit(self, session: Session) -> None:
        viewer = Client(HTTP_ACCEPT="application/json")
        viewer.force_login(make_user("viewer", "viewer"))
        assert viewer.get(reverse("removed-lines", args=[session.key])).status_code == 403


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
