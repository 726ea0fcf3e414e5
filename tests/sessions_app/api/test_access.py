"""Who may do what by the API: every operation, for every kind of asker."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from asrsite.api import api
from sessions_app.models import AccessToken, Session
from tests.sessions_app.meetings import make_lines, make_recording, make_session, make_user

from .clients import Program, by_password, by_token

pytestmark = pytest.mark.django_db

# `local` comes from this machine without a login. A `bound` token is for this session, `other` for another.
ASKERS = [
    "local", "nobody", "viewer", "transcriber", "owner", "editor", "superuser",
    "reader", "bound", "other", "link", "sender", "microphone",
]  # fmt: skip

EXPECTED = """
                              local nobody viewer transcriber owner editor superuser reader bound other link sender microphone
list_sessions                 200   401    200    200         200   200    200       200    200   200   200  403    403
search_lines                  200   401    200    200         200   200    200       200    200   200   200  403    403
begin_session                 201   401    403    201         201   201    201       403    403   403   403  201    403
show_session                  200   401    200    404         200   200    200       200    200   404   200  404    404
list_lines                    200   401    200    404         200   200    200       200    200   404   200  404    404
list_translations             200   401    200    404         200   200    200       200    200   404   200  404    404
list_session_speakers         200   401    200    404         200   200    200       200    200   404   200  404    404
rename_session                401   401    403    404         200   200    200       403    403   404   403  404    404
end_session                   202   401    403    404         202   202    202       403    403   404   403  404    202
trash_session                 401   401    403    404         204   204    204       403    403   404   403  404    404
export_session                200   401    403    404         200   200    200       200    200   404   403  404    404
session_recording             200   401    403    404         200   200    200       200    200   404   403  404    404
session_audio                 200   401    200    404         200   200    200       200    200   404   200  404    404
list_tokens                   401   401    403    404         200   200    200       403    403   404   403  404    404
make_token                    401   401    403    404         201   201    201       403    403   404   403  404    404
revoke_token                  401   401    403    404         204   204    204       403    403   404   403  404    404
"""  # noqa: E501

BODIES: dict[str, object] = {
    "begin_session": {"id": "new"},
    "rename_session": {"title": "Budget"},
    "make_token": {"role": "receiver"},
}
QUERIES = {"search_lines": "?q=好"}


@functools.cache
def table() -> dict[str, dict[str, int]]:
    header, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    assert header == ASKERS
    return {name: dict(zip(ASKERS, map(int, statuses), strict=True)) for name, *statuses in rows}


@functools.cache
def operations() -> dict[str, tuple[str, str]]:
    """Method and path of each operation, by its function's name; others have tests of their own."""
    found = {}
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, each in methods.items():
            if each["tags"] in (["sessions"], ["tokens"]):
                module = "_".join(each["operationId"].split("_")[:4])
                found[each["operationId"].removeprefix(f"{module}_")] = (method, path.removeprefix("/api/"))
    return found


@pytest.fixture
def session(tmp_path: Path, settings: Settings) -> Session:
    settings.MEDIA_ROOT = tmp_path
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session)
    make_recording(session, np.zeros(1600, np.float32), as_flac=True)
    return session


def asker(kind: str, session: Session) -> Program:
    match kind:
        case "local":
            return Program(address="127.0.0.1")
        case "nobody":
            return Program()
        case "owner":
            return by_password(User.objects.get(username="owner"))
        case "superuser":
            return by_password(User.objects.create_superuser("root"))
        case "reader":
            return by_token()
        case "bound":
            return by_token(session_key=session.key)
        case "other":
            return by_token(session_key="another")
        case "link":
            return by_token(session_key=session.key, may_export=False)
        case "sender":
            return by_token(role="sender")
        case "microphone":
            return by_token(role="sender", session_key=session.key)
    return by_password(make_user(kind, kind))


def test_every_operation_is_in_the_table() -> None:
    assert set(operations()) == set(table())


@pytest.mark.parametrize("kind", ASKERS)
@pytest.mark.parametrize("name", table())
def test_operation(name: str, kind: str, session: Session) -> None:
    method, path = operations()[name]
    token, _ = AccessToken.issue(name="a link", role="receiver", session_key=session.key)
    path = path.format(key=session.key, format="txt", token=token.pk) + QUERIES.get(name, "")
    response = asker(kind, session).ask(method, path, BODIES.get(name))
    assert response.status_code == table()[name][kind]
    if response.status_code >= 400:
        assert list(response.json()) == ["error"]


class TestCredentials:
    @pytest.mark.parametrize(
        "shown", ["Bearer nonsense", "Bearer", "Basic bm86bm8=", "Basic !", "x y z", "Digest a"]
    )
    def test_that_are_not_known_are_told_so(self, shown: str, session: Session) -> None:
        response = Program(shown, address="127.0.0.1").ask("get", "sessions")
        assert response.status_code == 401
        assert "no longer good" in response.json()["error"]
        assert response["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("change", [{"is_revoked": True}, {"expires_at": "2020-01-01T00:00Z"}])
    def test_that_are_over_are_nobody_s(self, change: dict[str, Any], session: Session) -> None:
        program = by_token()
        AccessToken.objects.update(**change)
        assert program.ask("get", f"sessions/{session.key}").status_code == 401

    def test_of_a_closed_account_are_nobody_s(self, session: Session) -> None:
        program = by_password(User.objects.get(username="owner"))
        User.objects.update(is_active=False)
        assert program.ask("get", "sessions").status_code == 401

    def test_that_are_tried_again_and_again_have_to_wait(self) -> None:
        make_user("anna", "viewer")
        program = Program("Basic YW5uYTp3cm9uZw==")  # anna:wrong
        statuses = [program.ask("get", "sessions").status_code for _ in range(8)]
        assert (statuses[0], statuses[-1]) == (401, 429)

    def test_of_a_token_are_noted_as_used(self, session: Session) -> None:
        by_token().ask("get", "sessions")
        assert AccessToken.objects.get().last_used_at


class TestPages:
    def test_of_ours_may_use_it_with_their_csrf_token_alone(self, session: Session) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(User.objects.get(username="owner"))
        assert client.get("/api/sessions").status_code == 200
        response = client.post(f"/api/sessions/{session.key}/end")
        assert (response.status_code, "CSRF" in response.json()["error"]) == (403, True)

    def test_of_others_may_change_nothing_though_this_machine_is_trusted(self, session: Session) -> None:
        foreign = Program(address="127.0.0.1", origin="https://evil.example", host="localhost")
        assert foreign.ask("post", f"sessions/{session.key}/end").status_code == 403
        own = Program(address="127.0.0.1", origin="http://localhost", host="localhost")
        assert own.ask("post", f"sessions/{session.key}/end").status_code == 202

    def test_trust_needs_no_login_only_where_the_settings_say_so(
        self, settings: Settings, session: Session
    ) -> None:
        settings.ACCESS = "token"
        assert Program(address="127.0.0.1").ask("get", "sessions").status_code == 401
        settings.ACCESS = "open"
        assert Program().ask("get", "sessions").status_code == 200
