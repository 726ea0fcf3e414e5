"""Links for readers, and the end of a session by hand."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.models import AccessToken, Session
from sessions_app.wire import layer_messages
from tests.sessions_app.meetings import make_lines, make_session, make_user, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session)
    return session


@pytest.fixture
def client(session: Session) -> Client:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(owner_of(session))
    return client


def make(client: Client, session: Session, **body: object) -> Any:
    address = reverse("links", args=[session.key])
    return client.post(address, json.dumps(body), content_type="application/json")


def stranger() -> Client:
    return Client(REMOTE_ADDR="203.0.113.9")


class TestLinks:
    def test_a_new_one_opens_the_session_for_somebody_without_a_login(
        self, client: Client, session: Session
    ) -> None:
        address = urlsplit(make(client, session, days=7).json()["url"])
        response = stranger().get(f"{address.path}?{address.query}")
        assert response.status_code == 200
        assert response.context["rights"] == {"read"}

    def test_the_secret_is_told_once_and_not_kept(self, client: Client, session: Session) -> None:
        secret = make(client, session, days=7).json()["url"].partition("token=")[2]
        listed = client.get(reverse("links", args=[session.key])).content.decode()
        assert secret not in listed
        assert secret not in str(AccessToken.objects.values())

    def test_lasts_as_long_as_asked(self, client: Client, session: Session) -> None:
        make(client, session, days=7)
        ends_at = AccessToken.objects.get().expires_at
        assert ends_at
        left = ends_at - timezone.now()
        assert timedelta(days=6.9) < left < timedelta(days=7.1)
        assert make(client, session, days=None).json()["expires_at"] is None

    @pytest.mark.parametrize(
        "body", [{}, {"days": 0}, {"days": -1}, {"days": 366}, {"days": "7"}, {"days": True}]
    )
    def test_a_time_that_makes_no_sense_is_refused(
        self, client: Client, session: Session, body: dict[str, Any]
    ) -> None:
        assert make(client, session, **body).status_code == 400
        assert not AccessToken.objects.exists()

    def test_a_revoked_one_opens_nothing_more(self, client: Client, session: Session) -> None:
        link = make(client, session, days=7).json()
        answer = client.post(reverse("revoke-link", args=[session.key, link["id"]])).json()
        assert answer == {"links": []}
        address = urlsplit(link["url"])
        assert stranger().get(f"{address.path}?{address.query}").status_code == 404

    def test_links_of_other_sessions_cannot_be_revoked_here(self, client: Client, session: Session) -> None:
        other, _ = AccessToken.issue(name="a", role="receiver", session_key="another")
        client.post(reverse("revoke-link", args=[session.key, other.pk]))
        other.refresh_from_db()
        assert not other.is_revoked

    def test_tell_when_they_were_last_used(self, client: Client, session: Session) -> None:
        token, secret = AccessToken.issue(name="a", role="receiver", session_key=session.key)
        before = client.get(reverse("links", args=[session.key])).json()["links"]
        assert [link["last_used_at"] for link in before] == [None]
        assert stranger().get(session.get_absolute_url(), {"token": secret}).status_code == 200
        token.refresh_from_db()
        assert token.last_used_at and timezone.now() - token.last_used_at < timedelta(minutes=1)
        (link,) = client.get(reverse("links", args=[session.key])).json()["links"]
        assert link["last_used_at"] == token.last_used_at.isoformat()

    def test_are_for_reading_and_no_program_takes_files_by_one(
        self, client: Client, session: Session
    ) -> None:
        address = make(client, session, days=7).json()["url"]
        secret = parse_qs(urlsplit(address).query)["token"][0]
        headers = {"authorization": f"Bearer {secret}"}
        assert stranger().get(reverse("lines", args=[session.key]), headers=headers).status_code == 200
        export = reverse("export", args=[session.key, "txt"])
        assert stranger().get(export, headers=headers).status_code == 403
        AccessToken.objects.update(may_export=True)
        assert stranger().get(export, headers=headers).status_code == 200

    def test_senders_tokens_and_dead_links_are_not_listed(self, client: Client, session: Session) -> None:
        past = timezone.now() - timedelta(days=1)
        AccessToken.issue(name="a", role="sender", session_key=session.key)
        AccessToken.issue(name="b", role="receiver", session_key=session.key, expires_at=past)
        assert client.get(reverse("links", args=[session.key])).json() == {"links": []}

    def test_who_may_only_read_makes_none(self, session: Session) -> None:
        client = Client(HTTP_ACCEPT="application/json")
        client.force_login(make_user("viewer", "viewer"))
        assert make(client, session, days=7).status_code == 403
        assert make(stranger(), session, days=7).status_code == 302


class TestEnd:
    def test_the_worker_is_told(self, client: Client, session: Session) -> None:
        layer: Any = get_channel_layer()
        channel = async_to_sync(layer.new_channel)("worker")
        async_to_sync(layer.group_add)(layer_messages.WORKERS, channel)
        assert client.post(reverse("end", args=[session.key])).status_code == 200
        assert async_to_sync(layer.receive)(channel) == {"type": "session.stop", "key": session.key}

    def test_who_may_not_record_cannot(self, session: Session) -> None:
        client = Client(HTTP_ACCEPT="application/json", REMOTE_ADDR="203.0.113.9")
        client.force_login(make_user("viewer", "viewer"))
        assert client.post(reverse("end", args=[session.key])).status_code == 403
