"""Cards of running meetings."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from sessions_app.catalogue import running
from sessions_app.models import Session
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db


def test_a_card_has_the_latest_lines_in_their_speakers_colours() -> None:
    session = make_session("live", is_live=True)
    voices = [make_voice(session, "Alice"), make_voice(session)]
    for number in range(6):
        make_lines(session, [str(number)], voices[number % 2])
    make_lines(session, ["who?"])

    [card] = running.read(Session.objects.all()).cards

    assert [(said.who, said.colour, said.text) for said in card.lines] == [
        ("Speaker 1", 2, "3"),
        ("Alice", 1, "4"),
        ("Speaker 1", 2, "5"),
        ("", 0, "who?"),
    ]


def test_the_newest_comes_first_and_what_is_over_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MAX_CARDS", 2)
    for key in ("a", "b", "c"):
        make_session(key, is_live=True)
    make_session("over")

    found = running.read(Session.objects.all())

    assert [card.session.key for card in found.cards] == ["c", "b"]
    assert found.more == 1


def test_many_cost_as_many_queries_as_few(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(5):
        session = make_session(str(number), is_live=True)
        make_lines(session, voice=make_voice(session, str(number)))
    with django_assert_num_queries(4):
        assert len(running.read(Session.objects.all()).cards) == 5


def test_it_tells_of_the_newest_that_is_over_for_that_may_never_have_been_a_card() -> None:
    assert running.read(Session.objects.all()).newest is None
    over = make_session("over")
    make_session("live", is_live=True)
    assert running.read(Session.objects.all()).newest == over.pk


class TestAsking:
    def ask(self, client: Client | None = None, **headers: str) -> Any:
        return (client or Client()).get(reverse("running"), headers=headers)

    def test_what_was_said_since_is_in_the_answer(self) -> None:
        session = make_session("live", is_live=True)
        first = self.ask()
        make_lines(session, ["<b>预算</b>"])
        second = self.ask(**{"If-None-Match": first["ETag"]})
        assert "&lt;b&gt;预算" in second.content.decode()

    def test_while_nothing_is_said_the_answer_is_empty(self) -> None:
        make_lines(make_session("live", is_live=True))
        first = self.ask()
        assert self.ask(**{"If-None-Match": first["ETag"]}).status_code == 304
        assert "no-cache" in first["Cache-Control"]

    def test_only_what_one_may_see_is_told(self) -> None:
        make_session("hers", owner=make_user("anna", "transcriber"), is_live=True)
        other = Client(REMOTE_ADDR="203.0.113.9")
        other.force_login(make_user("boris", "transcriber"))
        assert self.ask(other).content.strip() == b""
