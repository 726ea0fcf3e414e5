"""Notes by HTTP: who may read and write them, and what is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.models import AccessToken, Session
from tests.sessions_app.meetings import make_lines, make_session, make_user, owner_of

pytestmark = pytest.mark.django_db


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


def post(client: Client, session: Session, request: object) -> Any:
    address = reverse("notes", args=[session.key])
    return client.post(address, json.dumps(request), content_type="application/json")


def read(client: Client, session: Session) -> Any:
    return client.get(reverse("notes", args=[session.key]))


def test_writing_answers_with_all_notes_and_marks_one_s_own(client: Client, session: Session) -> None:
    answer = post(client, session, {"kind": "add", "at_ms": 2500, "text": "核对"}).json()
    [note] = answer["notes"]
    assert (answer["number"], answer["note"]) == (1, note["id"])
    assert (note["at_ms"], note["text"], note["author"], note["is_own"]) == (2500, "核对", "Alice", True)
    other = Client()
    other.force_login(owner_of(session))
    assert [note["is_own"] for note in read(other, session).json()["notes"]] == [False]


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        ({"kind": "explode"}, 400, "does not match"),
        ({"kind": "answer", "note": 7, "text": "?"}, 422, "There is no such note any more."),
    ],
)
def test_what_cannot_be_done_is_said(
    client: Client, session: Session, request_: object, status: int, error: str
) -> None:
    answer = post(client, session, request_)
    assert answer.status_code == status
    assert error in answer.json()["error"]


@pytest.mark.parametrize(
    ("visitor", "status"),
    [("", 401), ("viewer", 403), ("enroller", 403), ("transcriber", 404), ("owner", 200), ("editor", 200)],
)
def test_only_who_may_comment_writes(session: Session, visitor: str, status: int) -> None:
    client = Client(HTTP_ACCEPT="application/json", REMOTE_ADDR="203.0.113.9")
    if visitor:
        client.force_login(owner_of(session) if visitor == "owner" else make_user(visitor, visitor))
    assert post(client, session, {"kind": "add", "at_ms": 0}).status_code == status


def test_a_link_shows_what_was_said_but_no_notes(client: Client, session: Session) -> None:
    post(client, session, {"kind": "add", "at_ms": 0, "text": "confidential"})
    _token, secret = AccessToken.issue(name="link", role="receiver", session_key=session.key)
    reader = Client(REMOTE_ADDR="203.0.113.9")
    page = reader.get(reverse("session", args=[session.key]), {"token": secret})
    notes = reader.get(reverse("notes", args=[session.key]), {"token": secret})
    assert (page.status_code, notes.status_code) == (200, 404)
    assert "confidential" not in page.content.decode()


class TestSearch:
    def test_the_list_finds_notes_and_leads_to_them(self, client: Client, session: Session) -> None:
        note = post(client, session, {"kind": "add", "at_ms": 2500, "text": "Quarterly figures"}).json()[
            "note"
        ]
        page = client.get(reverse("session-list"), {"q": "quarterly"}).content.decode()
        assert f"/#note-{note}" in page
        assert "Quarterly figures" in page


class TestExport:
    def exported(self, client: Client, session: Session, format_: str, **query: str) -> str:
        response = client.get(reverse("export", args=[session.key, format_]), query)
        return bytes(response.content).decode()

    @pytest.fixture
    def noted(self, client: Client, session: Session) -> Session:
        note = post(client, session, {"kind": "add", "at_ms": 2500, "text": "*one*\ntwo"}).json()["note"]
        post(client, session, {"kind": "answer", "note": note, "text": "yes"})
        post(client, session, {"kind": "add", "at_ms": 4000})
        return session

    def test_markdown_lists_notes_with_moment_and_author(self, client: Client, noted: Session) -> None:
        expected = (
            "## Notes\n\n- `0:02` **Alice** \\*one\\*  \n  two\n"
            "  - `0:02` **Alice** yes\n- `0:04` **Alice** Bookmark\n"
        )
        assert self.exported(client, noted, "md").endswith(expected)

    def test_text_has_them_too(self, client: Client, noted: Session) -> None:
        text = self.exported(client, noted, "txt")
        assert text.endswith("Notes\n0:02 Alice: *one*\n  two\n    0:02 Alice: yes\n0:04 Alice: Bookmark\n")

    def test_json_has_them_whole(self, client: Client, noted: Session) -> None:
        first, answer, mark = json.loads(self.exported(client, noted, "json"))["notes"]
        assert (first["at_ms"], first["author"], first["text"]) == (2500, "Alice", "*one*\ntwo")
        assert (answer["answers"], mark["text"]) == (first["id"], "")

    def test_they_can_be_left_out(self, client: Client, noted: Session) -> None:
        assert "Notes" not in self.exported(client, noted, "md", notes="0")
        assert json.loads(self.exported(client, noted, "json", notes="0"))["notes"] == []
