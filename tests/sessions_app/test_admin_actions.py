"""Actions of the admin on nothing, one and many: what they do, and what they say that they did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from recognition.audio import SAMPLE_RATE
from sessions_app.models import AccessToken, Session, Utterance
from sessions_app.recordings import files
from sessions_app.transcripts import learning
from speakers.enrollment import from_flac
from speakers.models import Enrollment, Job, Speaker

from ..speakers.people import give_consent
from .meetings import make_lines, make_recording, make_session, make_user, make_voice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = tmp_path
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    return tmp_path


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client() -> Client:
    return client_of(User.objects.create_superuser("root"))


Act = Callable[..., list[str]]


@pytest.fixture
def act(client: Client) -> Act:
    """Do an action on these rows, as a superuser unless somebody else is named, and return what is said."""

    def act(action: str, *rows: Any, table: str = "session", by: Client = client) -> list[str]:
        form = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0"}
        response = by.post(reverse(f"admin:sessions_app_{table}_changelist"), form, follow=True)
        return [str(message) for message in response.context["messages"]]

    return act


@pytest.mark.parametrize("action", ["end", "keep", "release", "delete_recordings", "identify_anew"])
def test_nothing_selected_does_nothing_and_says_so(act: Act, action: str) -> None:
    make_session()

    [said] = act(action)

    assert "must be selected" in said
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("action", "one", "two"),
    [
        ("keep", "1 meeting is kept for good.", "2 meetings are kept for good."),
        (
            "release",
            "1 meeting will be deleted when it is old.",
            "2 meetings will be deleted when they are old.",
        ),
        (
            "delete_recordings",
            "The recording of 1 meeting was deleted.",
            "The recordings of 2 meetings were deleted.",
        ),
        ("end", "0 meetings are ending.", "0 meetings are ending."),
    ],
)
def test_one_and_several_are_counted_in_words(act: Act, action: str, one: str, two: str) -> None:
    sessions = [make_session("a"), make_session("b")]

    assert act(action, sessions[0]) == [one]
    assert act(action, *sessions) == [two]


def test_what_was_selected_and_is_gone_is_not_counted(act: Act) -> None:
    here, gone = make_session("a"), make_session("b")
    Session.objects.filter(key="b").delete()

    assert act("keep", here, gone) == ["1 meeting is kept for good."]


def test_others_sessions_are_out_of_reach_of_a_made_up_form(act: Act) -> None:
    mine = make_session("mine", owner=make_user("me", "transcriber", is_staff=True))
    other = make_session("other", owner=make_user("you"))
    me = client_of(User.objects.get(username="me"))

    act("keep", mine, other, by=me)

    assert dict(Session.objects.values_list("key", "is_kept")) == {"mine": True, "other": False}


def test_a_recording_of_what_goes_on_is_not_deleted(act: Act) -> None:
    live, over = make_session("live", is_live=True), make_session("over")
    for session in (live, over):
        make_recording(session, np.zeros(1600, np.float32), as_flac=False)

    assert act("delete_recordings", live, over) == ["The recording of 1 meeting was deleted."]
    assert (files.length(live.pk), files.length(over.pk)) == (1600, 0)


class TestIdentifyAnew:
    def test_what_goes_on_is_left_to_its_worker_and_that_is_said(self, act: Act) -> None:
        said = act("identify_anew", make_session("live", is_live=True), make_session("over"))

        assert len(said) == 2
        assert "still in progress" in said[0]
        assert Job.objects.count() == 1

    def test_if_all_go_on_nothing_is_asked_for(self, act: Act) -> None:
        assert len(act("identify_anew", make_session("live", is_live=True))) == 1
        assert not Job.objects.exists()

    def test_asked_for_twice_it_is_done_once(self, act: Act) -> None:
        session = make_session()

        for _ in range(2):
            act("identify_anew", session)

        assert Job.objects.count() == 1


class TestEnrollWithLines:
    def alice(self, *sessions: Session, seconds: float = 8.0) -> list[Utterance]:
        """Her lines in these sessions, of two seconds each, with their recordings."""
        lines = []
        for number, session in enumerate(sessions, 1):
            voice = make_voice(session, "Alice")
            lines += make_lines(session, [f"line {n}" for n in range(int(seconds / 2))], voice)
            sound = np.full(int(seconds * SAMPLE_RATE), number / 10, np.float32)
            make_recording(session, sound, as_flac=True)
        give_consent(Speaker.objects.get(name="Alice"))
        return lines

    def heard(self) -> np.ndarray:
        with Enrollment.objects.get().audio.open() as file:
            return from_flac(file.read())

    def test_lines_of_several_meetings_make_one_recording(self, act: Act) -> None:
        lines = self.alice(make_session("a"), make_session("b"))

        assert act("enroll_with_lines", *lines[:2], *lines[4:5], table="utterance") == []

        heard = self.heard()
        assert len(heard) == 6 * SAMPLE_RATE
        # The newest meeting first, and each in its own order.
        np.testing.assert_allclose(heard[[0, -1]], [0.2, 0.1], atol=1e-3)

    def test_it_is_no_longer_than_an_upload_may_be(self, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(learning, "MAX_RECORDING_S", 5.0)
        lines = self.alice(make_session("a"))

        act("enroll_with_lines", *lines, table="utterance")

        assert len(self.heard()) == 5 * SAMPLE_RATE

    def test_without_a_recording_it_says_so(self, act: Act) -> None:
        session = make_session("a")
        lines = self.alice(session)
        files.delete(session.pk)

        [said] = act("enroll_with_lines", *lines, table="utterance")

        assert "No recording of these lines" in said
        assert not Enrollment.objects.exists()

    def test_two_people_are_not_one(self, act: Act) -> None:
        session = make_session("a")
        lines = self.alice(session)
        lines += make_lines(session, ["Hello."], make_voice(session, "Bob"))

        [said] = act("enroll_with_lines", *lines, table="utterance")

        assert "lines of a single speaker" in said
        assert not Enrollment.objects.exists()

    def test_a_line_of_nobody_spoils_it(self, act: Act) -> None:
        session = make_session("a")
        lines = [*self.alice(session), *make_lines(session, ["?"])]

        [said] = act("enroll_with_lines", *lines, table="utterance")

        assert "whose name is known" in said


class TestTokens:
    def token(self, name: str = "link") -> AccessToken:
        return AccessToken.issue(name=name, role="receiver")[0]

    def test_several_are_revoked_at_once(self, act: Act) -> None:
        tokens = [self.token("a"), self.token("b")]
        kept = self.token("c")

        assert act("revoke", *tokens, table="accesstoken") == ["2 tokens were revoked."]
        assert list(AccessToken.objects.filter(is_revoked=False)) == [kept]

    def test_a_new_one_is_told_once_and_works(self, client: Client) -> None:
        form = {"name": "for a friend", "role": "receiver", "session_key": "a"}

        response = client.post(reverse("admin:sessions_app_accesstoken_add"), form)

        [told, *_] = [str(message) for message in get_messages(response.wsgi_request)]
        secret = told.split()[3]
        found = AccessToken.find(secret)
        assert found is not None
        assert (found.name, found.created_by) == ("for a friend", User.objects.get(username="root"))
        address = reverse("admin:sessions_app_accesstoken_change", args=[found.pk])
        assert secret in client.get(address).content.decode()
        again = client.get(address).content.decode()
        assert secret not in again
        assert found.digest not in again

    def test_what_one_was_given_out_for_is_not_widened(self, client: Client) -> None:
        token, secret = AccessToken.issue(name="link", role="receiver", session_key="a")
        form = {"name": "renamed", "role": "sender", "session_key": "", "is_revoked": ""}

        client.post(reverse("admin:sessions_app_accesstoken_change", args=[token.pk]), form)

        token.refresh_from_db()
        assert (token.name, token.role, token.session_key) == ("renamed", "receiver", "a")
        assert AccessToken.find(secret) == token  # the same secret as before

    def test_one_that_has_run_out_can_be_prolonged(self, client: Client) -> None:
        token, _ = AccessToken.issue(
            name="link", role="receiver", expires_at=timezone.now() - timedelta(days=1)
        )
        form = {"name": "link", "expires_at_0": "2090-01-01", "expires_at_1": "00:00"}

        client.post(reverse("admin:sessions_app_accesstoken_change", args=[token.pk]), form)

        token.refresh_from_db()
        assert token.admits("receiver", "any")


class TestOwners:
    def change(self, client: Client, session: Session, owner: User) -> None:
        form = {"title": "renamed", "owner": owner.pk}
        client.post(reverse("admin:sessions_app_session_change", args=[session.pk]), form)
        session.refresh_from_db()

    def test_who_sees_all_may_give_a_session_away(self, client: Client) -> None:
        session, you = make_session("a"), make_user("you")

        self.change(client, session, you)

        assert session.owner == you

    def test_others_may_not_even_their_own(self) -> None:
        me, you = make_user("me", "transcriber", is_staff=True), make_user("you")
        session = make_session("a", owner=me)

        self.change(client_of(me), session, you)

        assert (session.owner, session.title) == (me, "renamed")


def test_permissions_to_choose_from_are_named_for_people(client: Client) -> None:
    group = Group.objects.get(name="viewer")

    page = client.get(reverse("admin:auth_group_change", args=[group.pk])).content.decode()

    assert "Meetings | meeting | Can see everyone&#x27;s meetings" in page
    assert Permission.objects.filter(group=group).exists()


class TestVersions:
    def test_a_line_that_is_not_ones_own_has_no_versions_to_read(self) -> None:
        me = make_user("me", "transcriber", is_staff=True)
        (mine,) = make_lines(make_session("mine", owner=me), ["a"])
        (other,) = make_lines(make_session("other"), ["b"])
        client = client_of(me)

        statuses = [
            client.get(reverse("admin:sessions_app_utterance_history", args=[line.pk])).status_code
            for line in (mine, other)
        ]

        assert statuses[0] == 200
        assert statuses[1] in (302, 403, 404)

    @pytest.mark.parametrize(("text", "status"), [("x" * 10_000, 302), ("x" * 10_001, 200), ("", 200)])
    def test_a_text_may_be_as_long_as_in_the_editor(self, client: Client, text: str, status: int) -> None:
        (line,) = make_lines(make_session(), ["a"])
        address = reverse("admin:sessions_app_utterance_change", args=[line.pk])

        response = client.post(address, {"text": text, "seen": 0})

        line.refresh_from_db()
        assert response.status_code == status
        assert line.text == (text if status == 302 else "a")

    @pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30])
    def test_a_form_that_saw_another_line_changes_nothing(self, client: Client, seen: str) -> None:
        (line,) = make_lines(make_session(), ["a"])
        address = reverse("admin:sessions_app_utterance_change", args=[line.pk])

        assert client.post(address, {"text": "b", "seen": seen}).status_code == 200

        line.refresh_from_db()
        assert line.text == "a"
