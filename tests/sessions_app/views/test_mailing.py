"""Minutes by e-mail: to whom they can go, what is in them, and what a real server does with them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from icalendar import Calendar
from pytest_django import Settings

from audit.models import Action, Entry
from sessions_app import teams
from sessions_app.access.decision import Level
from sessions_app.minutes import keeping
from sessions_app.models import Membership, MinutesItem, Session, Team
from sessions_app.transcripts.mailing import MAX_PEOPLE
from tests.sessions_app.meetings import make_lines, make_session, make_user, make_voice
from tests.support.mail_server import MailServer, mail_server

pytestmark = pytest.mark.django_db

PROMISE, DECISION = "我明天把测试报告发给大家。", "那发布时间就定在下周二。"


@pytest.fixture(autouse=True)
def _mail(settings: Settings) -> None:
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example.org", "asrsite@example.org"


def with_address(name: str, role: str = "viewer") -> User:
    user = make_user(name, role)
    user.email = f"{name}@example.org"
    user.save()
    return user


@pytest.fixture
def session() -> Session:
    session = make_session(title="周会", owner=with_address("owner", "transcriber"))
    make_lines(session, [PROMISE, DECISION], voice=make_voice(session, "赵敏"))
    keeping.make(session)
    return session


@pytest.fixture
def client(session: Session) -> Client:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(User.objects.get(username="owner"))
    return client


def ask(client: Client, session: Session) -> Any:
    return client.get(reverse("minutes-mail", args=[session.key]))


def send(client: Client, session: Session, *people: User) -> Any:
    return post(client, session, {"people": [person.pk for person in people]})


def post(client: Client, session: Session, request: object) -> Any:
    address = reverse("minutes-mail", args=[session.key])
    return client.post(address, json.dumps(request), content_type="application/json")


def names(answer: Any) -> list[str]:
    return [person["name"] for person in answer.json()["people"]]


def outbox() -> list[EmailMultiAlternatives]:
    return mail.outbox  # type: ignore[return-value]  # Django's stubs know less of it


class TestRecipients:
    def test_it_can_go_to_all_who_have_the_meeting_and_an_address(
        self, client: Client, session: Session
    ) -> None:
        member = with_address("member")
        team = Team.objects.create(name="Sales")
        Membership.objects.create(team=team, user=member)
        teams.share(session, team, Level.READ)
        teams.share(session, with_address("friend"), Level.READ)
        teams.share(session, make_user("without", "viewer"), Level.READ)
        with_address("stranger")
        assert names(ask(client, session)) == ["friend", "member", "owner"]

    def test_each_is_named_once_however_many_ways_they_have_it(
        self, client: Client, session: Session
    ) -> None:
        member = with_address("member")
        for name in ("Sales", "Design"):
            team = Team.objects.create(name=name)
            Membership.objects.create(team=team, user=member)
            teams.share(session, team, Level.READ)
        assert names(ask(client, session)) == ["member", "owner"]

    def test_closed_accounts_get_nothing(self, client: Client, session: Session) -> None:
        gone = with_address("gone")
        teams.share(session, gone, Level.READ)
        User.objects.filter(pk=gone.pk).update(is_active=False)
        assert names(ask(client, session)) == ["owner"]
        assert send(client, session, gone).status_code == 422
        assert outbox() == []

    def test_an_owner_who_may_not_read_any_more_gets_nothing(self, session: Session) -> None:
        User.objects.get(username="owner").groups.clear()
        client = Client(HTTP_ACCEPT="application/json")
        client.force_login(with_address("Alice", "editor"))
        assert names(ask(client, session)) == ["Alice"]

    def test_nobody_else_can_be_sent_them(self, client: Client, session: Session) -> None:
        stranger = with_address("stranger")
        answer = send(client, session, stranger)
        assert answer.status_code == 422
        assert "no address here" in answer.json()["error"]
        assert outbox() == []
        assert not Entry.objects.filter(action=Action.MINUTES_MAILED).exists()

    @pytest.mark.parametrize("request_", [{}, {"people": "all"}, {"people": ["x"]}, [], {"people": [[1]]}])
    def test_a_request_that_makes_no_sense_is_told_so(
        self, client: Client, session: Session, request_: object
    ) -> None:
        assert post(client, session, request_).status_code == 400

    def test_nobody_is_too_few(self, client: Client, session: Session) -> None:
        answer = send(client, session)
        assert (answer.status_code, answer.json()) == (422, {"error": f"Choose 1 to {MAX_PEOPLE} people."})

    def test_who_reads_may_not_send_them(self, session: Session) -> None:
        reader = with_address("reader")
        teams.share(session, reader, Level.COMMENT)
        client = Client(HTTP_ACCEPT="application/json")
        client.force_login(reader)
        assert ask(client, session).status_code == 403
        assert send(client, session, reader).status_code == 403
        assert outbox() == []


class TestLetter:
    def test_all_of_it_is_shown_before_it_is_sent(self, client: Client, session: Session) -> None:
        shown = ask(client, session).json()
        assert shown["has_tasks"] is True
        assert outbox() == []
        send(client, session, User.objects.get(username="owner"))
        [sent] = outbox()
        assert (sent.subject, sent.body) == (shown["subject"], shown["text"])

    def test_text_has_the_statements_and_where_each_was_said(self, client: Client, session: Session) -> None:
        text = ask(client, session).json()["text"]
        first, second = session.utterances.order_by("seq")
        page = f"http://testserver{session.get_absolute_url()}"
        assert text.startswith("Minutes of “周会”, ")
        assert f"Decisions\n0:02 {DECISION}\n    {page}#line-{second.pk}\n" in text
        assert f"☐ 0:00 {PROMISE} (赵敏, " in text
        assert f"{page}#line-{first.pk}" in text

    def test_html_has_them_with_links_and_runs_nothing(self, client: Client, session: Session) -> None:
        MinutesItem.objects.filter(section="decision").update(text="<script>x</script>", is_edited=True)
        send(client, session, User.objects.get(username="owner"))
        [[html, kind]] = outbox()[0].alternatives
        second = session.utterances.get(seq=2)
        assert kind == "text/html"
        assert isinstance(html, str)
        assert f'{session.get_absolute_url()}#line-{second.pk}">0:02</a>' in html
        assert "&lt;script&gt;x&lt;/script&gt;" in html
        assert "<script" not in html

    def test_to_dos_come_for_calendars(self, client: Client, session: Session) -> None:
        send(client, session, User.objects.get(username="owner"))
        [attached] = outbox()[0].attachments
        name, content, kind = attached
        assert (str(name).endswith(".ics"), kind) == (True, "text/calendar")
        [task] = Calendar.from_ical(content).walk("VTODO")
        assert task["summary"] == f"赵敏: {PROMISE}"

    def test_without_to_dos_nothing_is_attached(self, client: Client, session: Session) -> None:
        MinutesItem.objects.filter(section="action").update(is_removed=True)
        assert ask(client, session).json()["has_tasks"] is False
        send(client, session, User.objects.get(username="owner"))
        assert outbox()[0].attachments == []

    def test_it_is_in_the_language_of_who_sends_it(self, client: Client, session: Session) -> None:
        client.cookies["django_language"] = "zh-hans"
        shown = ask(client, session).json()
        assert shown["subject"].endswith("周会")
        assert "Minutes" not in shown["subject"] + shown["text"]

    def test_a_title_cannot_become_a_header(self, client: Client, session: Session) -> None:
        Session.objects.filter(pk=session.pk).update(title="a\r\nBcc: x@example.org")
        assert send(client, session, User.objects.get(username="owner")).status_code == 200
        assert outbox()[0].subject == "Minutes: a Bcc: x@example.org"

    def test_an_answer_to_it_reaches_who_sent_it(self, client: Client, session: Session) -> None:
        send(client, session, User.objects.get(username="owner"))
        assert (outbox()[0].reply_to, outbox()[0].from_email) == (
            ["owner@example.org"],
            "asrsite@example.org",
        )

    def test_nobody_reads_the_addresses_of_others(self, client: Client, session: Session) -> None:
        friend = with_address("friend")
        teams.share(session, friend, Level.READ)
        send(client, session, friend, User.objects.get(username="owner"), friend)
        assert [each.to for each in outbox()] == [["friend@example.org"], ["owner@example.org"]]

    def test_before_there_are_minutes_none_are_sent(self, client: Client, session: Session) -> None:
        going_on = make_session("now", owner=User.objects.get(username="owner"), is_live=True)
        assert ask(client, going_on).status_code == 422
        make_lines(going_on, [DECISION])
        keeping.make(going_on)
        answer = send(client, going_on, User.objects.get(username="owner"))
        assert (answer.status_code, outbox()) == (422, [])


def test_it_is_on_record_to_whom_they_went(client: Client, session: Session) -> None:
    owner = User.objects.get(username="owner")
    send(client, session, owner)
    [entry] = Entry.objects.filter(action=Action.MINUTES_MAILED)
    assert (entry.meeting, entry.actor_id, entry.detail) == (session.key, owner.pk, {"accounts": [owner.pk]})


class TestSwitch:
    def test_without_a_server_there_is_no_such_address_and_no_button(
        self, client: Client, session: Session, settings: Settings
    ) -> None:
        settings.EMAIL_HOST = ""
        assert ask(client, session).status_code == 404
        assert send(client, session, User.objects.get(username="owner")).status_code == 404
        assert b"mail-open" not in client.get(session.get_absolute_url()).content

    def test_with_one_whoever_may_edit_has_a_button(self, client: Client, session: Session) -> None:
        assert b"mail-open" in client.get(session.get_absolute_url()).content

    def test_who_reads_has_none(self, session: Session) -> None:
        client = Client()
        client.force_login(make_user("reader", "viewer"))
        assert b"mail-open" not in client.get(session.get_absolute_url()).content


class TestServer:
    @pytest.fixture
    def server(self, settings: Settings) -> Iterator[MailServer]:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        with mail_server() as server:
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
            yield server

    def test_it_gets_text_html_and_to_dos_as_they_were_written(
        self, client: Client, session: Session, server: MailServer
    ) -> None:
        answer = send(client, session, User.objects.get(username="owner"))
        assert answer.json() == {"sent": 1, "refused": []}
        [(to, message)] = server.taken
        assert (to, message["Subject"]) == ("owner@example.org", "Minutes: 周会")
        text, html = (message.get_body([kind]) for kind in ("plain", "html"))
        assert isinstance(text, EmailMessage)
        assert isinstance(html, EmailMessage)
        assert DECISION in text.get_content()
        assert DECISION in html.get_content()
        [tasks] = message.iter_attachments()
        assert PROMISE in str(Calendar.from_ical(tasks.get_content()).walk("VTODO")[0]["summary"])

    def test_an_address_that_it_refuses_keeps_it_from_nobody_else(
        self, client: Client, session: Session, server: MailServer
    ) -> None:
        friend = with_address("friend")
        teams.share(session, friend, Level.READ)
        server.refused = {"friend@example.org"}
        answer = send(client, session, friend, User.objects.get(username="owner"))
        assert answer.json() == {"sent": 1, "refused": ["friend"]}
        assert [to for to, _message in server.taken] == ["owner@example.org"]

    def test_an_address_that_is_none_keeps_it_from_nobody_else(
        self, client: Client, session: Session, server: MailServer
    ) -> None:
        friend = with_address("friend")
        teams.share(session, friend, Level.READ)
        User.objects.filter(pk=friend.pk).update(email="a\nBcc: b@example.org")
        answer = send(client, session, friend, User.objects.get(username="owner"))
        assert answer.json() == {"sent": 1, "refused": ["friend"]}
        assert [to for to, _message in server.taken] == ["owner@example.org"]

    def test_what_it_says_is_told(self, client: Client, session: Session, server: MailServer) -> None:
        server.sender_refusal = "550 asrsite may not send"
        answer = send(client, session, User.objects.get(username="owner"))
        assert answer.status_code == 422
        assert answer.json()["error"] == "The mail server does not take it: asrsite may not send"

    def test_one_that_does_not_answer_is_told_of(
        self, client: Client, session: Session, server: MailServer, settings: Settings
    ) -> None:
        with socket.socket() as taken:  # bound, and listening to nobody
            taken.bind(("127.0.0.1", 0))
            settings.EMAIL_PORT = taken.getsockname()[1]
            answer = send(client, session, User.objects.get(username="owner"))
        assert answer.status_code == 422
        assert answer.json()["error"] == "The mail server does not take it: Connection refused"
        assert not Entry.objects.filter(action=Action.MINUTES_MAILED).exists()
