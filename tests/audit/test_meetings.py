"""What is done with meetings and accounts, by pages and by the service, is on record with who did it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from sessions_app.catalogue import trash
from sessions_app.models import AccessToken, Session, Team
from sessions_app.transcripts import retention

from ..sessions_app.meetings import make_lines, make_recording, make_session, make_user, owner_of, whole

pytestmark = pytest.mark.django_db

AWAY = "203.0.113.9"


@pytest.fixture(autouse=True)
def folder(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def session() -> Session:
    session = make_session("周会-42", owner=make_user("anna", "transcriber"))
    make_lines(session)
    return session


@pytest.fixture
def client(session: Session) -> Client:
    client = Client(REMOTE_ADDR=AWAY, HTTP_ACCEPT="application/json")
    client.force_login(owner_of(session))
    Entry.objects.all()._raw_delete("default")  # her login
    return client


def told() -> list[tuple[str, str, str, str | None, dict[str, Any]]]:
    return [
        (entry.action, entry.meeting, entry.actor_name, entry.address, entry.detail)
        for entry in Entry.objects.order_by("pk")
    ]


def by_anna(action: str, **detail: Any) -> tuple[str, str, str, str, dict[str, Any]]:
    return (action, "周会-42", "anna", AWAY, detail)


def post(client: Client, name: str, *args: Any, **body: Any) -> Any:
    return client.post(reverse(name, args=args), json.dumps(body), content_type="application/json")


class TestReading:
    def test_a_reader_is_on_record_once_however_much_they_read(
        self, client: Client, session: Session
    ) -> None:
        for name in ("session", "captions", "lines", "notes"):
            assert client.get(reverse(name, args=[session.key])).status_code == 200
        assert told() == [by_anna("meeting-read")]

    def test_hearing_is_more_than_reading(self, client: Client, session: Session) -> None:
        make_recording(session, np.zeros(16_000, np.float32), as_flac=False)
        for part in ("bytes=0-99", "bytes=100-199"):
            client.get(reverse("audio", args=[session.key]), headers={"range": part})
        assert told() == [by_anna("meeting-hear")]

    def test_who_follows_a_link_is_known_by_the_link(self, session: Session) -> None:
        token, secret = AccessToken.issue(name="for a friend", role="receiver", session_key=session.key)
        page = reverse("session", args=[session.key])
        assert Client(REMOTE_ADDR=AWAY).get(page, {"token": secret}).status_code == 200
        assert told() == [("meeting-read", "周会-42", "", AWAY, {"token": token.pk})]

    def test_who_may_not_read_it_has_not_read_it(self, session: Session) -> None:
        page = reverse("session", args=[session.key])
        stranger = Client(REMOTE_ADDR=AWAY)
        assert stranger.get(page, {"token": "guessed"}).status_code == 404
        assert stranger.get(page).status_code == 302
        assert told() == []


class TestTakingAway:
    def test_an_export_says_the_format_each_time(self, client: Client, session: Session) -> None:
        for chosen in ("txt", "srt", "txt"):
            client.get(reverse("export", args=[session.key, chosen]))
        client.get(reverse("paper", args=[session.key]))
        formats = ("txt", "srt", "txt", "paper")
        assert told() == [by_anna("meeting-export", format=chosen) for chosen in formats]

    def test_several_at_once_are_each_on_record_and_those_of_others_are_not(
        self, client: Client, session: Session
    ) -> None:
        other, hers = make_session("other"), make_session("mine", owner=session.owner)
        keys = {"key": [session.key, other.key, hers.key], "format": "txt"}
        whole(client.get(reverse("export-several"), keys))
        assert [row[1] for row in told()] == ["周会-42", "mine"]

    def test_a_recording_taken_in_parts_is_one_export(self, client: Client, session: Session) -> None:
        make_recording(session, np.zeros(16_000, np.float32), as_flac=True)
        for part in ("bytes=0-9", "bytes=10-19"):
            client.get(reverse("export-recording", args=[session.key]), headers={"range": part})
        assert told() == [by_anna("meeting-export", format="flac")]


class TestSharing:
    def test_with_whom_and_how_far(self, client: Client, session: Session) -> None:
        bob = make_user("bob")
        team = Team.objects.create(name="Sales")
        post(client, "shares", session.key, kind="user", id=bob.pk, level="edit")
        post(client, "shares", session.key, kind="team", id=team.pk, level="read")
        post(client, "shares", session.key, kind="user", id=bob.pk, level=None)
        assert told() == [
            by_anna("meeting-share", account=bob.pk, level="edit"),
            by_anna("meeting-share", team=team.pk, level="read"),
            by_anna("meeting-unshare", account=bob.pk),
        ]

    def test_links_by_their_keys_and_never_by_their_secrets(self, client: Client, session: Session) -> None:
        link = post(client, "links", session.key, days=7).json()
        for _ in range(2):
            post(client, "revoke-link", session.key, link["id"])
        assert told() == [
            by_anna("link", link=link["id"], days=7),
            by_anna("revoke-link", link=link["id"]),
        ]
        assert link["url"].partition("token=")[2] not in str(told())


class TestChanging:
    def test_edits_and_notes(self, client: Client, session: Session) -> None:
        title = {"kind": "title", "seen": "", "title": "Budget"}
        assert post(client, "edit", session.key, **title).status_code == 200
        note = post(client, "notes", session.key, kind="add", at_ms=0, text="secret").json()["note"]
        assert told() == [by_anna("meeting-edit"), by_anna("meeting-comment", note=note, kind="add")]

    def test_the_way_into_the_trash_and_out_of_it(self, client: Client, session: Session) -> None:
        for action in ("trash", "restore", "trash", "delete"):
            post(client, "actions", action=action, keys=[session.key])
        actions = ("trash", "restore", "trash", "delete")
        assert told() == [by_anna(f"meeting-{action}") for action in actions]

    def test_what_is_still_live_was_not_deleted(self, client: Client, session: Session) -> None:
        Session.objects.update(state=Session.State.LIVE)
        post(client, "actions", action="trash", keys=[session.key])
        post(client, "delete", session.key)
        assert told() == []

    def test_what_the_service_deletes_is_its_own_deed(self, session: Session) -> None:
        long_ago = timezone.now() - timedelta(days=40)
        Session.objects.update(trashed_at=long_ago)
        trash.empty()
        make_recording(old := make_session("old"), np.zeros(100, np.float32), as_flac=True)
        Session.objects.filter(pk=old.pk).update(ended_at=long_ago)
        retention.prune(sessions_days=0, recordings_days=30)
        nobody: tuple[str, None, dict[str, Any]] = ("", None, {})
        assert told() == [("meeting-delete", "周会-42", *nobody), ("recording-delete", "old", *nobody)]


class TestAccounts:
    def test_logins_and_logouts(self, session: Session) -> None:
        anna = User.objects.get(username="anna")
        anna.set_password("right")
        anna.save()
        client = Client(REMOTE_ADDR=AWAY)
        page = reverse("login")
        client.post(page, {"username": "anna", "password": "wrong"})
        client.post(page, {"username": "hunter2", "password": "typed into the wrong field"})
        client.post(page, {"username": "anna", "password": "right"})
        client.post(reverse("logout"))
        assert told() == [
            ("login-failed", "", "", AWAY, {"account": anna.pk}),
            ("login-failed", "", "", AWAY, {"account": None}),
            ("login", "", "anna", AWAY, {}),
            ("logout", "", "anna", AWAY, {}),
        ]

    def test_logins_that_one_ends_elsewhere(self, client: Client, session: Session) -> None:
        other = Client()
        other.force_login(owner_of(session))
        other.get(reverse("account"))
        Entry.objects.all()._raw_delete("default")
        client.get(reverse("account"))
        client.post(reverse("end-other-logins"))
        assert [(row[0], row[2], row[4]) for row in told()] == [("logout", "anna", {"others": 1})]

    def test_a_program_with_a_wrong_password_as_well(self, session: Session) -> None:
        program = Client(REMOTE_ADDR=AWAY, HTTP_AUTHORIZATION="Basic YW5uYTp3cm9uZw==")
        assert program.get(reverse("lines", args=[session.key])).status_code == 401
        assert [row[0] for row in told()] == ["login-failed"]

    def test_accounts_roles_and_passwords(self) -> None:
        manager = make_user("max", "manager")
        client = Client(REMOTE_ADDR=AWAY)
        client.force_login(manager)
        viewer = Group.objects.get(name="viewer").pk
        client.post(reverse("add-account"), {"username": "bob", "roles": [viewer]})
        bob = User.objects.get(username="bob")
        client.post(reverse("change-account", args=[bob.pk]), {"roles": [], "is_active": ""})
        client.post(reverse("reset-password", args=[bob.pk]))
        assert [(row[0], row[4]) for row in told()[1:]] == [
            ("account-add", {"account": bob.pk, "roles": ["viewer"]}),
            ("account-change", {"account": bob.pk, "roles": [], "is_active": False}),
            ("password", {"account": bob.pk}),
        ]

    def test_teams_and_their_members(self) -> None:
        manager, bob = make_user("max", "manager"), make_user("bob")
        client = Client(REMOTE_ADDR=AWAY)
        client.force_login(manager)
        client.post(reverse("add-team"), {"name": "Sales", "level": "read"})
        team = Team.objects.get()
        client.post(reverse("add-member", args=[team.pk]), {"username": "bob"})
        client.post(reverse("remove-member", args=[team.pk, bob.pk]))
        client.post(reverse("delete-team", args=[team.pk]))
        assert [row[4] for row in told()[1:]] == [
            {"team": team.pk, "change": "made"},
            {"team": team.pk, "change": "joined", "account": bob.pk},
            {"team": team.pk, "change": "left", "account": bob.pk},
            {"team": team.pk, "change": "deleted"},
        ]

    def test_what_a_superuser_does_to_accounts_in_the_admin(self, admin_client: Client) -> None:
        bob = make_user("bob")
        data = {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"}
        admin_client.post(reverse("admin:auth_user_changelist"), data)
        assert told()[-1][0] == "account-delete"
        assert told()[-1][2:] == ("admin", "127.0.0.1", {"account": bob.pk})
