"""Who may open which address: every URL there is, for every kind of visitor."""

from __future__ import annotations

import base64
import functools
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django import Settings

from sessions_app.models import AccessToken, Session
from tests.sessions_app.meetings import make_lines, make_recording, make_session, make_user

pytestmark = pytest.mark.django_db

REMOTE = "203.0.113.9"

# `local` comes from this machine without a login; all the others from elsewhere. `owner` records and owns the
# session, `transcriber` records but does not; `link` has a share link and no login.
VISITORS = [
    "local",
    "remote",
    "viewer",
    "transcriber",
    "owner",
    "editor",
    "enroller",
    "staff",
    "superuser",
    "link",
]

# What a visitor gets: the status of GET (or of POST where there is no GET).
EXPECTED = """
                    local remote viewer transcriber owner editor enroller staff superuser link
manifest             200    200    200      200      200    200     200      200    200     200
service-worker       200    200    200      200      200    200     200      200    200     200
offline              200    200    200      200      200    200     200      200    200     200
share-target         405    405    405      405      405    405     405      405    405     405
session-list         200    302    200      200      200    200     200    200     200     302
trash                200    302    200      200      200    200     200    200     200     302
running              200    302    200      200      200    200     200    200     200     302
paper                200    302    403      404      200    200     403      404     200     403
export-several       404    302    404      404      404    404     404      404    404     302
actions              405    405    405      405      405    405     405    405     405     405
join                 405    405    405      405      405    405     405    405     405     405
record               200    302    403      200      200    200     403    403     200     302
session              200    302    200      404      200    200     200    404     200     200
captions             200    302    200      404      200    200     200      404     200     200
ask-all              200    302    200      200      200    200     200      200    200     302
ask                  405    405    405      405      405    405     405      405    405     405
question             302    302    404      404      404    404     404      404    404     302
links                302    302    403      404      200    200     403      404     200     403
shares               302    302    403      404      200    200     403      404     200     403
revoke-link          405    405    405      405      405    405     405      405     405     405
end                  405    405    405      405      405    405     405      405     405     405
delete               405    405    405      405      405    405     405      405     405     405
lines                200    302    200      404      200    200     200    404     200     200
minutes              200    302    200      404      200    200     200      404     200     404
minutes-request      302    302    403      404      404    404     403      404     404     403
translation          302    302    403      404      404    404     403      404     404     403
minutes-mail         302    302    403      404      404    404     403      404     404     403
notes                200    302    200      404      200    200     200      404     200     404
edit                 405    405    405      405      405    405     405      405     405     405
split                405    405    405      405      405    405     405      405     405     405
words-of-line        200    302    200      404      200    200     200      404     200     200
versions-of-line     302    302    403      404      200    200     403      404     200     403
remember-voice       302    302    403      404      403    403     403    404     404     403
removed-lines        302    302    403      404      200    200     403      404     200     403
people               302    302    403      404      200    200     403      404     200     403
audio                200    302    200      404      200    200     200      404     200     200
peaks                200    302    200      404      200    200     200      404     200     200
export               200    302    403      404      200    200     403      404     200     403
export-recording     200    302    403      404      200    200     403      404     200     403
account              302    302    200      200      200    200     200      200     200     302
change-password      302    302    200      200      200    200     200      200     200     302
share-recordings     405    405    405      405      405    405     405      405     405     405
end-login            405    405    405      405      405    405     405      405     405     405
end-other-logins     405    405    405      405      405    405     405      405     405     405
account-list         302    302    403      403      403    403     403      403     200     302
add-account          302    302    403      403      403    403     403      403     200     302
change-account       302    302    403      403      403    403     403      403     404     302
reset-password       405    405    405      405      405    405     405      405     405     405
remove-second-factor 405    405    405      405      405    405     405      405     405     405
models               302    302    403      403      403    403     403      403     200     302
models-progress      302    302    403      403      403    403     403      403     200     302
models-act           405    405    405      405      405    405     405      405     405     405
rule-list            302    302    403      403      403    200     403      403     200     302
add-rule             405    405    405      405      405    405     405      405     405     405
remove-rule          405    405    405      405      405    405     405      405     405     405
keep-rule            405    405    405      405      405    405     405      405     405     405
propose-rule         302    302    403      404      200    200     403      404     200     403
team-list            302    302    403      403      403    403     403      403     200     302
add-team             302    302    403      403      403    403     403      403     200     302
team                 302    302    403      403      403    403     403      403     404     302
add-member           405    405    405      405      405    405     405      405     405     405
remove-member        405    405    405      405      405    405     405      405     405     405
delete-team          405    405    405      405      405    405     405      405     405     405
webhook-list         302    302    403      403      403    403     403      403     200     302
add-webhook          302    302    403      403      403    403     403      403     200     302
webhook              302    302    403      403      403    403     403      403     404     302
change-webhook       302    302    403      403      403    403     403      403     404     302
test-webhook         405    405    405      405      405    405     405      405     405     405
renew-webhook-secret 405    405    405      405      405    405     405      405     405     405
delete-webhook       405    405    405      405      405    405     405      405     405     405
send-again           405    405    405      405      405    405     405      405     405     405
asyncapi             200    200    200      200      200    200     200      200     200     200
login                200    200    200      200      200    200     200    200     200     200
account_login        200    200    200      200      200    200     200    200     200     200
openid_connect_login 404    404    404      404      404    404     404    404     404     404
openid_connect_callback 404 404    404      404      404    404     404    404     404     404
admin-login          302    302    403      403      403    403     403      302    302     302
mfa_authenticate     302    302    302      302      302    302     302      302    302     302
demanded-second-factor 302  302    302      302      302    302     302      302    302     302
account_reauthenticate 302  302    403      403      403    403     403      403    403     302
mfa_index            302    302    302      302      302    302     302      302    302     302
mfa_list_webauthn    302    302    302      302      302    302     302      302    302     302
mfa_activate_totp    302    302    403      403      403    403     403      403    403     302
mfa_deactivate_totp  302    302    404      404      404    404     404      404    404     302
mfa_view_recovery_codes 302 302    404      404      404    404     404      404    404     302
mfa_generate_recovery_codes 302 302 403     403      403    403     403      403    403     302
mfa_download_recovery_codes 302 302 404     404      404    404     404      404    404     302
mfa_add_webauthn     302    302    403      403      403    403     403      403    403     302
mfa_remove_webauthn  302    302    403      403      403    403     403      403    403     302
logout               405    405    405      405      405    405     405    405     405     405
set_language         302    302    302      302      302    302     302    302     302     302
words                200    200    200      200      200    200     200    200     200     200
"""

# Not for people, and without a session's data.
ELSEWHERE = {"healthz", "readyz", "metrics"}


OF_ACCOUNTS = {
    "change-account", "reset-password", "remove-second-factor", "end-login", "team", "add-member",
    "remove-member", "delete-team", "remove-rule", "question",
    "webhook", "change-webhook", "test-webhook", "renew-webhook-secret", "delete-webhook", "send-again",
}  # fmt: skip
NOBODY = 999_999

LEADING_ELSEWHERE = {
    "set_language", "admin-login", "mfa_authenticate", "demanded-second-factor", "mfa_index",
    "mfa_list_webauthn",
}  # fmt: skip


@functools.cache
def table() -> dict[str, dict[str, int]]:
    header, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    assert header == VISITORS
    return {name: dict(zip(VISITORS, map(int, statuses), strict=True)) for name, *statuses in rows}


OF_PEOPLE = "people/"
"""Addresses below have a table of their own: `speakers/test_pages`."""


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The names and routes of all addresses outside of the admin and the API; the route is also the name of
    those that have none."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace not in ("admin", "api"):
                yield from addresses(pattern, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            route = prefix + str(pattern.pattern)
            yield pattern.name or route, route


@pytest.fixture
def session(tmp_path: Path, settings: Settings) -> Session:
    settings.MEDIA_ROOT = tmp_path
    session = make_session(owner=make_user("owner", "transcriber"))
    make_lines(session)
    make_recording(session, np.zeros(1600, np.float32), as_flac=True)
    return session


def client_of(visitor: str) -> Client:
    if visitor == "local":
        return Client(REMOTE_ADDR="127.0.0.1")
    client = Client(REMOTE_ADDR=REMOTE)
    if visitor in ("remote", "link"):
        return client
    if visitor == "owner":
        user = User.objects.get(username="owner")
    elif visitor == "superuser":
        user = User.objects.create_superuser("root")
    elif visitor == "staff":
        user = make_user("staff", is_staff=True)
    else:
        user = make_user(visitor, visitor)
    client.force_login(user)
    return client


@pytest.fixture
def clients(session: Session) -> dict[str, Client]:
    return {visitor: client_of(visitor) for visitor in VISITORS}


def address_of(name: str, session: Session, visitor: str) -> str:
    arguments = {"key": session.key, "line": session.utterances.all()[0].pk, "format": "txt", "link": 1}
    arguments |= {"pk": NOBODY, "name": "embedded", "action": "default", "provider_id": "company"}
    if name in OF_ACCOUNTS:
        arguments |= {"key": NOBODY, "user": NOBODY, "delivery": NOBODY}
    arguments["speaker"] = uuid.uuid4()
    parameters = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
    address = reverse(name, kwargs={parameter: arguments[parameter] for parameter in parameters})
    if visitor == "link":
        _, secret = AccessToken.issue(name="for a friend", role="receiver", session_key=session.key)
        address += "?" + urlencode({"token": secret})
    return address


def test_every_address_is_in_the_table() -> None:
    found = {name for name, route in addresses() if not route.startswith(OF_PEOPLE)}
    assert found - ELSEWHERE == set(table())


@pytest.mark.parametrize("name", table())
def test_address(name: str, session: Session, clients: dict[str, Client]) -> None:
    found = {}
    for visitor, client in clients.items():
        response = client.get(address_of(name, session, visitor))
        found[visitor] = response.status_code
        if response.status_code == 302 and name not in LEADING_ELSEWHERE:
            assert response["Location"].startswith("/login/?next="), visitor
    assert found == table()[name]


class TestShareLinks:
    def get(self, session: Session, **token: object) -> Any:
        _, secret = AccessToken.issue(
            **{"name": "a", "role": "receiver", "session_key": session.key} | token  # type: ignore[arg-type]
        )
        return Client(REMOTE_ADDR=REMOTE).get(reverse("session", args=[session.key]), {"token": secret})

    def test_opens_its_session_read_only(self, session: Session) -> None:
        response = self.get(session)
        assert response.context["rights"] == {"read"}

    def test_opens_no_other_session(self, session: Session) -> None:
        assert self.get(session, session_key="another").status_code == 404

    def test_a_sender_s_token_shows_nothing(self, session: Session) -> None:
        assert self.get(session, role="sender").status_code == 404

    def test_a_revoked_or_expired_one_shows_nothing(self, session: Session) -> None:
        assert self.get(session, expires_at=timezone.now()).status_code == 404
        _, secret = AccessToken.issue(name="a", role="receiver", session_key=session.key)
        AccessToken.objects.update(is_revoked=True)
        response = Client(REMOTE_ADDR=REMOTE).get(reverse("session", args=[session.key]), {"token": secret})
        assert response.status_code == 404

    def test_reads_only_also_for_those_who_could_do_more(self, session: Session) -> None:
        _, secret = AccessToken.issue(name="a", role="receiver", session_key=session.key)
        client = client_of("superuser")
        response = client.get(reverse("session", args=[session.key]), {"token": secret})
        assert response.context["rights"] == {"read"}


class TestRights:
    def rights(self, visitor: str, session: Session) -> set[str]:
        return set(client_of(visitor).get(reverse("session", args=[session.key])).context["rights"])

    def test_from_this_machine_one_reads_and_records_without_a_login_and_changes_nothing(
        self, session: Session
    ) -> None:
        assert self.rights("local", session) == {"read", "send", "export"}

    def test_by_role(self, session: Session) -> None:
        everything = {"read", "send", "export", "edit", "comment", "share", "delete"}
        assert self.rights("viewer", session) == {"read"}
        assert self.rights("owner", session) == everything
        assert self.rights("editor", session) == everything

    def test_under_token_being_on_this_machine_is_no_right(
        self, session: Session, settings: Settings
    ) -> None:
        settings.ACCESS = "token"
        assert client_of("local").get(reverse("session", args=[session.key])).status_code == 302

    def test_under_open_everyone_reads_and_records_and_nobody_changes_anything(
        self, session: Session, settings: Settings
    ) -> None:
        settings.ACCESS = "open"
        assert self.rights("remote", session) == {"read", "send", "export"}

    def test_a_proxy_on_this_machine_is_not_this_machine(self, session: Session) -> None:
        response = Client(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9").get("/")
        assert response.status_code == 302


def test_scripts_get_their_refusal_as_json(session: Session) -> None:
    client = Client(REMOTE_ADDR=REMOTE, HTTP_ACCEPT="application/json")
    response = client.get(reverse("lines", args=[session.key]))
    assert (response.status_code, response.json()) == (401, {"error": "Please log in first."})


class TestPrograms:
    """Read by a token or a password in a header, and are answered in JSON whatever they accept."""

    @pytest.fixture
    def secret(self, session: Session) -> str:
        return AccessToken.issue(name="archive", role="receiver", session_key=session.key)[1]

    def get(self, name: str, session: Session, authorization: str) -> Any:
        client = Client(REMOTE_ADDR=REMOTE, headers={"authorization": authorization})
        return client.get(address_of(name, session, "program"))

    @pytest.mark.parametrize("name", ["lines", "export", "export-recording", "audio", "peaks", "session"])
    def test_a_token_reads_all_there_is_of_its_session(
        self, session: Session, secret: str, name: str
    ) -> None:
        answer = self.get(name, session, f"Bearer {secret}")
        assert answer.status_code == 200

    @pytest.mark.parametrize("name", ["edit", "end", "delete", "links"])
    def test_it_changes_nothing(self, session: Session, secret: str, name: str) -> None:
        client = Client(REMOTE_ADDR=REMOTE, headers={"authorization": f"Bearer {secret}"})
        answer = client.post(address_of(name, session, "program"))
        assert answer.status_code == 403
        assert "permission" in answer.json()["error"]

    def test_other_sessions_are_not_there(self, secret: str) -> None:
        other = make_session("another")
        make_lines(other)
        answer = self.get("lines", other, f"Bearer {secret}")
        assert answer.status_code == 404
        assert answer.json() == {"error": "There is no such meeting, or you may not see it."}

    @pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic b3duZXI6d3Jvbmc=", "Basic %", "x"])
    def test_what_nobody_knows_is_said_so(self, session: Session, header: str) -> None:
        answer = self.get("export", session, header)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer.json() == {"error": "This token or password is not known here, or no longer good."}

    def test_a_token_that_is_out_of_date_is_no_longer_good(self, session: Session, secret: str) -> None:
        AccessToken.objects.update(expires_at=timezone.now())
        assert self.get("export", session, f"Bearer {secret}").status_code == 401

    def test_a_user_reads_with_name_and_password_what_they_read_on_pages(self, session: Session) -> None:
        owner = User.objects.get(username="owner")
        owner.set_password("s3cret")
        owner.save()
        header = "Basic " + base64.b64encode(b"owner:s3cret").decode()
        assert self.get("export", session, header).status_code == 200
        others = make_session("of-others")
        make_lines(others)
        assert self.get("export", others, header).status_code == 404
        client = Client(REMOTE_ADDR=REMOTE, headers={"authorization": header})
        assert client.post(address_of("delete", session, "program")).status_code == 401


def test_a_key_in_another_spelling_is_the_same_session() -> None:
    make_session("café")
    response = Client().get(reverse("session", args=["café"]))
    assert response.status_code == 200
