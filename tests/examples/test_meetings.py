"""The client of the HTTP API in `examples/`, against a server in this process."""

from __future__ import annotations

import sys

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from sessions_app.models import AccessToken, Session, Utterance
from sessions_app.store import voices
from tests.sessions_app.meetings import LINES, make_lines, make_session, make_user, make_voice
from tests.support.server import ROOT

sys.path.insert(0, str(ROOT / "examples"))

import meetings as example
from meetings import Api, Failed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(live_server: LiveServer) -> str:
    return live_server.url


@pytest.fixture
def owner() -> User:
    return make_user("owner", "transcriber")


def test_it_lists_page_after_page(server: str, owner: User) -> None:
    for number in range(5):
        make_lines(make_session(f"m{number}", owner=owner))
    found = [each["id"] for each in Api(server).sessions(limit=2)]
    assert found == ["m4", "m3", "m2", "m1", "m0"]


def test_it_searches_and_reads(server: str, owner: User) -> None:
    session = make_session("周会/1".replace("/", "-"), owner=owner)
    make_lines(session, voice=make_voice(session, "林静"))
    assert [line["text"] for line in Api(server).search("预算")] == [LINES[2]]
    assert [line["text"] for line in Api(server).lines(session.key, words=True)] == LINES
    assert "林静" in Api(server).export(session.key, "txt").decode()


def test_it_follows_a_meeting_to_its_end(server: str, owner: User) -> None:
    session = make_session("live", owner=owner, is_live=True)
    [first, *_] = make_lines(session, ["第一行。", "第二行。"])
    following = Api(server).follow("live", every_s=0.0)
    assert [next(following)["text"] for _ in range(2)] == ["第一行。", "第二行。"]
    Utterance.objects.filter(pk=first.pk).update(text="改了。")
    voices.number_changes(session.pk, [first.pk])
    assert next(following)["text"] == "改了。"
    Utterance.objects.filter(pk=first.pk).update(is_removed=True)
    voices.number_changes(session.pk, [first.pk])
    assert next(following) == {"id": first.pk, "removed": True}
    Session.objects.update(state="ended")
    assert list(following) == []


def test_it_begins_and_ends_meetings(server: str) -> None:
    api = Api(server)
    key = api.begin(title="Budget")["id"]
    assert api.session(key)["title"] == "Budget"
    assert api.end(key) == "ended"


def test_it_shows_its_token(server: str, owner: User) -> None:
    make_session("one", owner=owner)
    _, secret = AccessToken.issue(name="a", role="receiver", session_key="one")
    assert Api(server, secret).session("one")["rights"] == ["export", "read"]
    with pytest.raises(Failed, match="no longer good") as failed:
        Api(server, "wrong").session("one")
    assert failed.value.status == 401


def test_it_says_what_the_server_says(server: str, capsys: pytest.CaptureFixture[str], owner: User) -> None:
    with pytest.raises(SystemExit, match="There is no such meeting"):
        example.main(["show", "none", "--server", server])
    make_lines(make_session("one", owner=owner))
    example.main(["show", "one", "--server", server])
    example.main(["list", "--server", server])
    out = capsys.readouterr().out
    assert "00:02 " in out
    assert "one\tended\tone" in out


@pytest.mark.parametrize("words", [["list", "x"], ["show"], ["search"], ["export", "one"]])
def test_it_says_when_arguments_are_missing(words: list[str], server: str) -> None:
    with pytest.raises(SystemExit, match="other arguments"):
        example.main([*words, "--server", server])
