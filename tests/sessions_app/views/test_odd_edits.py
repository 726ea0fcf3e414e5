"""Edits by HTTP that no page sends: each is answered in words, and changes nothing it should not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.models import Session, Utterance
from speakers.models import Speaker

from ..meetings import LINES, make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db

HUGE = 10**30


@pytest.fixture
def session() -> Session:
    session = make_session()
    make_lines(session, voice=make_voice(session))
    return session


@pytest.fixture
def client() -> Client:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(make_user("Alice", "editor"))
    return client


def post(client: Client, session: Session, edit: object) -> Any:
    body = edit if isinstance(edit, bytes | str) else json.dumps(edit)
    return client.post(reverse("edit", args=[session.key]), body, content_type="application/json")


def seen(line: int, revision: int = 0) -> dict[str, int]:
    return {"line": line, "revision": revision}


def texts(session: Session) -> list[str]:
    return list(session.utterances.filter(is_removed=False).order_by("start").values_list("text", flat=True))


@pytest.mark.parametrize(
    "edit",
    [
        {"kind": "text", "seen": seen(HUGE), "text": "x"},
        {"kind": "text", "seen": seen(-HUGE), "text": "x"},
        {"kind": "remove", "seen": seen(HUGE)},
        {"kind": "insert", "after": HUGE, "text": "x"},
        {"kind": "merge", "seen": seen(HUGE), "following": seen(HUGE)},
        {"kind": "replace", "find": "a", "replacement": "b", "lines": [seen(HUGE)]},
        {"kind": "restore", "lines": [{"line": HUGE, "revision": 0, "version": None}]},
        {"kind": "restore", "lines": [{"line": 1, "revision": 0, "version": HUGE}]},
        {"kind": "separate", "voice": "a", "lines": [HUGE]},
    ],
)
def test_a_key_that_no_row_can_have_is_nonsense(client: Client, session: Session, edit: Any) -> None:
    answer = post(client, session, edit)

    assert answer.status_code in (400, 422)
    assert answer.json()["error"]
    assert texts(session) == LINES


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b"{", b"\xff", b'"text"', b"[" * 2000, b'{"kind": 1}', b'{"kind": "text"}'],
)
def test_what_is_no_edit_is_said_to_be_none(client: Client, session: Session, body: bytes) -> None:
    answer = post(client, session, body)

    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a\x00b", "a b"),
        ("\x00", None),
        ("  a \n\t b  ", "a b"),
        ("\u2028a\u2029", "a"),
        ("🎤🧑‍🎤", "🎤🧑‍🎤"),
        ("\u202eabc", "abc"),
        ("=1+1", "=1+1"),
        ("<script>", "<script>"),
        ("x" * 10_000, "x" * 10_000),
        ("x" * 10_001, None),
        ("   ", None),
    ],
)
def test_any_text_is_kept_as_one_line_or_refused(
    client: Client, session: Session, written: str, kept: str | None
) -> None:
    line = session.utterances.get(seq=1)

    answer = post(client, session, {"kind": "text", "seen": seen(line.pk), "text": written})

    line.refresh_from_db()
    assert answer.status_code == (400 if kept is None else 200)
    assert line.text == (LINES[0] if kept is None else kept)


@pytest.mark.parametrize("name", ["a\x00b", " 张 三 ", "=cmd()", "محمد", "🎤"])
def test_a_new_name_is_one_line_too(client: Client, session: Session, name: str) -> None:
    voice = session.voices.get()

    answer = post(client, session, {"kind": "voice", "voice": str(voice.uuid), "who": {"name": name}})

    assert answer.status_code == 200
    assert Speaker.objects.get().name == " ".join(name.replace("\x00", " ").split())


def test_half_of_a_character_is_no_text(client: Client, session: Session) -> None:
    line = session.utterances.get(seq=1)

    answer = post(client, session, {"kind": "text", "seen": seen(line.pk), "text": "\ud800"})

    assert answer.status_code == 400
    assert texts(session) == LINES


@pytest.mark.parametrize("title", ["周会\x00", "a\nb", ""])
def test_a_title_is_one_line_and_may_be_empty(client: Client, session: Session, title: str) -> None:
    answer = post(client, session, {"kind": "title", "seen": "", "title": title})

    session.refresh_from_db()
    assert answer.status_code == 200
    assert session.title == " ".join(title.replace("\x00", " ").split())


def test_a_line_merged_with_itself_is_refused_and_stays(client: Client, session: Session) -> None:
    line = session.utterances.get(seq=1)

    answer = post(client, session, {"kind": "merge", "seen": seen(line.pk), "following": seen(line.pk)})

    assert answer.status_code == 422
    assert texts(session) == LINES


def test_lines_apart_are_no_neighbours_to_be_merged(client: Client, session: Session) -> None:
    """What lies between would be said in the middle of the merged line."""
    first, third = session.utterances.get(seq=1), session.utterances.get(seq=3)

    answer = post(client, session, {"kind": "merge", "seen": seen(first.pk), "following": seen(third.pk)})

    assert answer.status_code == 422
    assert texts(session) == LINES


def test_a_line_named_twice_is_changed_once(client: Client, session: Session) -> None:
    line = session.utterances.get(seq=1)
    edit = {"kind": "replace", "find": "大", "replacement": "小", "lines": [seen(line.pk)] * 2}

    assert post(client, session, edit).status_code == 200
    assert texts(session)[0] == LINES[0].replace("大", "小")


@pytest.mark.parametrize("query", ["", "q=", "q=%00", "q=%", "q=" + "x" * 1000, "q=🎤"])
def test_whoever_is_looked_for_there_is_an_answer(client: Client, session: Session, query: str) -> None:
    Speaker.objects.create(name="Alice")

    answer = client.get(reverse("people", args=[session.key]) + f"?{query}")

    assert answer.status_code == 200
    assert len(answer.json()["people"]) == (1 if query in ("", "q=") else 0)


@pytest.mark.parametrize("name", ["words-of-line", "versions-of-line"])
def test_a_line_that_cannot_be_is_not_there(client: Client, session: Session, name: str) -> None:
    for line in (0, HUGE, Utterance.objects.order_by("-pk")[0].pk + 1):
        assert client.get(reverse(name, args=[session.key, line])).status_code == 404
