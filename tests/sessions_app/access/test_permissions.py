"""Who may do what with which session: logins, links, visitors from this machine, and how they are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from sessions_app.access import permissions
from sessions_app.access.decision import OPEN_RIGHTS, Right
from sessions_app.models import AccessToken, Session

from ..meetings import make_session, make_user

pytestmark = pytest.mark.django_db

REMOTE = "203.0.113.7"
EVERYTHING = frozenset(Right)
READING = frozenset({Right.READ})
NOTHING: frozenset[Right] = frozenset()


@pytest.fixture(autouse=True)
def _access(settings: Any) -> None:
    settings.ACCESS = "local"


def request_of(
    user: User | AnonymousUser | None = None, *, peer: str = REMOTE, token: str | None = None, **headers: str
) -> HttpRequest:
    data = {} if token is None else {"token": token}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = RequestFactory(headers=named).get("/sessions/a/", data, REMOTE_ADDR=peer)
    request.user = user or AnonymousUser()
    return request


def with_permissions(name: str, *codenames: str) -> User:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


class TestGranted:
    def test_nobody_has_a_right_without_a_login(self) -> None:
        assert permissions.granted(AnonymousUser(), make_session()) == NOTHING
        assert permissions.granted(AnonymousUser(), None) == NOTHING

    def test_the_owner_has_what_their_permissions_give(self) -> None:
        owner = make_user("owner", "transcriber")

        assert permissions.granted(owner, make_session(owner=owner)) == EVERYTHING

    def test_somebody_elses_session_is_nobodys_business(self) -> None:
        other = make_user("other", "transcriber")

        assert permissions.granted(other, make_session(owner=make_user("owner"))) == NOTHING

    def test_a_session_that_nobody_owns_is_for_those_who_see_all(self) -> None:
        """An anonymous sender made it: that two people have no login makes neither its owner."""
        orphan = make_session(owner=None)

        assert permissions.granted(make_user("transcriber", "transcriber"), orphan) == NOTHING
        assert permissions.granted(make_user("viewer", "viewer"), orphan) == READING
        assert permissions.granted(make_user("editor", "editor"), orphan) == EVERYTHING

    def test_to_own_a_session_gives_no_right_by_itself(self) -> None:
        owner = make_user("owner")

        assert permissions.granted(owner, make_session(owner=owner)) == NOTHING

    @pytest.mark.parametrize("right", Right)
    def test_each_permission_gives_its_own_right_and_no_other(self, right: Right) -> None:
        user = with_permissions("user", str(right))

        implied = {Right.COMMENT} if right is Right.EDIT else set()
        assert permissions.granted(user, make_session(owner=user)) == {right} | implied

    def test_to_see_all_is_no_right_to_read(self) -> None:
        user = with_permissions("user", "view_all_session")

        assert permissions.granted(user, make_session()) == NOTHING

    def test_an_account_that_is_closed_has_none(self) -> None:
        owner = make_user("owner", "transcriber")
        owner.is_active = False

        assert permissions.granted(owner, make_session(owner=owner)) == NOTHING

    def test_a_superuser_has_all_of_them(self) -> None:
        assert permissions.granted(User.objects.create_superuser("root"), make_session()) == EVERYTHING

    def test_a_session_that_does_not_exist_yet_is_for_those_who_may_make_one(self) -> None:
        assert Right.SEND in permissions.granted(make_user("transcriber", "transcriber"), None)
        assert Right.SEND not in permissions.granted(make_user("viewer", "viewer"), None)


class TestRights:
    @pytest.mark.parametrize(
        ("access", "peer", "expected"),
        [
            ("local", "127.0.0.1", OPEN_RIGHTS),
            ("local", "::1", OPEN_RIGHTS),
            ("local", "::ffff:127.0.0.1", OPEN_RIGHTS),
            ("local", REMOTE, NOTHING),
            ("token", "127.0.0.1", NOTHING),
            ("open", REMOTE, OPEN_RIGHTS),
        ],
    )
    def test_without_a_login_the_place_and_the_setting_decide(
        self, settings: Any, access: str, peer: str, expected: frozenset[Right]
    ) -> None:
        settings.ACCESS = access

        assert permissions.rights(request_of(peer=peer), make_session()) == expected

    def test_who_comes_through_a_proxy_on_this_machine_is_not_from_it(self) -> None:
        request = request_of(peer="127.0.0.1", x_forwarded_for="203.0.113.7")

        assert permissions.rights(request, make_session()) == NOTHING

    def test_a_login_adds_to_what_everybody_here_may(self) -> None:
        owner = make_user("owner", "transcriber")
        request = request_of(owner, peer="127.0.0.1")

        assert permissions.rights(request, make_session(owner=owner)) == EVERYTHING

    def test_a_token_that_is_shown_is_all_that_counts(self) -> None:
        session = make_session("a")
        _, secret = AccessToken.issue(name="link", role="receiver", session_key="a")
        root = User.objects.create_superuser("root")

        assert permissions.rights(request_of(root, token=secret), session) == READING
        assert permissions.rights(request_of(root, token="wrong"), session) == NOTHING
        assert permissions.rights(request_of(root, peer="127.0.0.1", token="wrong"), session) == NOTHING

    def test_an_empty_token_is_none(self) -> None:
        assert permissions.rights(request_of(peer="127.0.0.1", token=""), make_session()) == OPEN_RIGHTS

    def test_a_token_opens_no_session_that_does_not_exist(self) -> None:
        _, secret = AccessToken.issue(name="any", role="receiver")

        assert permissions.rights(request_of(token=secret), None) == NOTHING

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, READING),
            ({"session_key": ""}, READING),
            ({"session_key": "b"}, NOTHING),
            ({"session_key": "A"}, NOTHING),
            ({"role": "sender"}, NOTHING),
            ({"expires_at": timedelta(hours=1)}, READING),
            ({"expires_at": timedelta(0)}, NOTHING),
        ],
    )
    def test_a_token_is_good_for_what_it_was_made_for(
        self, changes: dict[str, Any], expected: frozenset[Right]
    ) -> None:
        if "expires_at" in changes:
            changes = changes | {"expires_at": timezone.now() + changes["expires_at"]}
        made = {"name": "link", "role": "receiver", "session_key": "a"} | changes
        _, secret = AccessToken.issue(**made)

        assert permissions.rights(request_of(token=secret), make_session("a")) == expected

    def test_a_token_that_was_revoked_is_good_for_nothing(self) -> None:
        _, secret = AccessToken.issue(name="link", role="receiver")
        AccessToken.objects.update(is_revoked=True)

        assert permissions.rights(request_of(token=secret), make_session()) == NOTHING


class TestVisibleSessions:
    @pytest.fixture(autouse=True)
    def _sessions(self) -> None:
        self.owner = make_user("owner", "transcriber")
        make_session("own", owner=self.owner)
        make_session("another's", owner=make_user("another"))
        make_session("nobody's")

    def keys(self, request: HttpRequest) -> set[str]:
        return set(permissions.visible_sessions(request).values_list("key", flat=True))

    def test_people_see_their_own(self) -> None:
        assert self.keys(request_of(self.owner)) == {"own"}

    def test_some_see_all(self) -> None:
        assert self.keys(request_of(make_user("viewer", "viewer"))) == {"own", "another's", "nobody's"}

    def test_who_may_read_nothing_sees_nothing(self) -> None:
        assert self.keys(request_of(User.objects.get(username="another"))) == set()
        assert self.keys(request_of()) == set()

    def test_on_this_machine_all_are_seen(self) -> None:
        assert len(self.keys(request_of(peer="127.0.0.1"))) == 3

    def test_whoever_has_a_link_to_one_has_no_list(self) -> None:
        _, secret = AccessToken.issue(name="link", role="receiver", session_key="own")

        assert self.keys(request_of(token=secret)) == set()


class TestForSession:
    """The door of every page of a session: what one may not see does not exist."""

    @pytest.fixture(autouse=True)
    def _session(self) -> None:
        self.owner = make_user("owner", "transcriber")
        self.session = make_session("a", owner=self.owner)

    def ask(self, request: HttpRequest, right: Right = Right.READ, key: str = "a") -> Any:
        def view(request: HttpRequest, session: Session) -> HttpResponse:
            return HttpResponse(session.key)

        return permissions.for_session(right)(view)(request, key)

    def test_the_view_gets_the_session_itself(self) -> None:
        assert self.ask(request_of(self.owner)).content == b"a"

    def test_who_has_not_said_who_they_are_is_asked_to(self) -> None:
        asked = self.ask(request_of())

        assert (asked.status_code, asked["Location"]) == (302, "/login/?next=/sessions/a/")

    def test_whether_there_is_such_a_session_is_not_told_before(self) -> None:
        there, not_there = self.ask(request_of()), self.ask(request_of(), key="no such")

        assert there.status_code == not_there.status_code == 302

    def test_what_one_may_not_see_does_not_exist(self) -> None:
        other = make_user("other", "transcriber")
        words = []
        for key in ("a", "no such"):
            with pytest.raises(Http404) as refused:
                self.ask(request_of(other), key=key)
            words.append(str(refused.value))

        assert words[0] == words[1]

    def test_what_one_may_see_but_not_do_is_forbidden(self) -> None:
        with pytest.raises(PermissionDenied, match="do not have permission"):
            self.ask(request_of(make_user("viewer", "viewer")), Right.EDIT)

    def test_here_without_a_login_one_is_asked_for_one_before_one_changes_anything(self) -> None:
        assert self.ask(request_of(peer="127.0.0.1")).status_code == 200
        assert self.ask(request_of(peer="127.0.0.1"), Right.EDIT).status_code == 302

    def test_a_bad_link_leads_nowhere_and_asks_for_no_login(self) -> None:
        with pytest.raises(Http404):
            self.ask(request_of(token="wrong"))

    def test_a_good_link_does_no_more_than_read(self) -> None:
        _, secret = AccessToken.issue(name="link", role="receiver", session_key="a")

        assert self.ask(request_of(token=secret)).status_code == 200
        with pytest.raises(PermissionDenied):
            self.ask(request_of(token=secret), Right.EXPORT)

    def test_scripts_are_told_as_json(self) -> None:
        asked = self.ask(request_of(Accept="application/json, */*"))

        assert (asked.status_code, asked.content) == (401, b'{"error": "Please log in first."}')

    @pytest.mark.parametrize("key", ["", "\x00", "a\x00", "a" * 1000, "'; --", "🎤", "../a"])
    def test_a_key_that_cannot_be_is_not_there(self, key: str) -> None:
        with pytest.raises(Http404):
            self.ask(request_of(self.owner), key=key)

    def test_a_view_keeps_its_name(self) -> None:
        def view(request: HttpRequest, session: Session) -> HttpResponse:
            """Show."""
            return HttpResponse()

        wrapped: Callable[..., Any] = permissions.for_session()(view)

        assert (wrapped.__name__, wrapped.__doc__) == ("view", "Show.")


class TestForVisitors:
    def ask(self, request: HttpRequest) -> Any:
        return permissions.for_visitors(lambda request: HttpResponse("in"))(request)

    def test_whoever_has_a_login_comes_in_whatever_they_may(self) -> None:
        assert self.ask(request_of(make_user("nobody in particular"))).content == b"in"

    def test_so_does_who_is_on_this_machine(self) -> None:
        assert self.ask(request_of(peer="127.0.0.1")).content == b"in"

    def test_others_are_asked_to_log_in(self) -> None:
        assert self.ask(request_of()).status_code == 302

    def test_a_link_to_one_session_opens_no_list(self) -> None:
        _, secret = AccessToken.issue(name="link", role="receiver")

        assert self.ask(request_of(token=secret)).status_code == 302


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("text/html", False),
        ("", False),
        ("text/html, application/json;q=0.9", True),
    ],
)
def test_who_asks_for_json_gets_it(accept: str, is_json: bool) -> None:
    assert permissions.wants_json(request_of(Accept=accept)) == is_json
