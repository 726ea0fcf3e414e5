"""Logins by a provider of OpenID Connect: a real one, on loopback."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from asrsite.settings import single_sign_on
from sessions_app.access.roles import set_up_groups
from sessions_app.access.single_sign_on import groups_of, roles_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what its libraries say of each other
    from oidc_provider_mock import run_server_in_thread

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib")]

START = "/login/oidc/company/login/"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(autouse=True)
def _settings(provider: str, settings: Any) -> None:
    set_up_groups()
    settings.OIDC_ISSUER, settings.OIDC_NAME = provider, "ACME"
    settings.OIDC_ROLES = {"editors": "editor", "staff": "transcriber"}
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on(provider, "asrsite", "secret")


def known_there(provider: str, subject: str, **claims: Any) -> None:
    body = {"preferred_username": subject} | claims
    requests.put(f"{provider}/users/{subject}", json=body, timeout=10).raise_for_status()


def log_in(client: Client, subject: str, *, next_page: str = "", deny: bool = False) -> Any:
    """Go to the provider and come back; the answer to coming back."""
    sent_there = client.get(START, {"next": next_page} if next_page else {})
    assert sent_there.status_code == 302
    form = {"sub": subject} | ({"action": "deny"} if deny else {})
    back = requests.post(sent_there["Location"], data=form, allow_redirects=False, timeout=10)
    address = urlsplit(back.headers["Location"])
    return client.get(address.path, parse_qs(address.query))


def roles(name: str) -> set[str]:
    return set(User.objects.get(username=name).groups.values_list("name", flat=True))


def who(client: Client) -> str:
    user = client.get(reverse("account")).context
    return str(user["user"].get_username()) if user else ""


def test_the_login_page_leads_there_only_if_there_is_one(settings: Any) -> None:
    page = Client().get("/login/", {"next": "/record/"}).content.decode()
    assert f'href="{START}?next=%2Frecord%2F"' in page and "Log in with ACME" in page
    settings.OIDC_ISSUER = ""
    assert START not in Client().get("/login/").content.decode()


def test_who_comes_for_the_first_time_gets_an_account_with_the_roles_of_their_groups(provider: str) -> None:
    known_there(provider, "anna", groups=["editors", "chess"], email="anna@example.com")
    client = Client()
    answer = log_in(client, "anna", next_page="/record/")
    assert (answer.status_code, answer["Location"]) == (302, "/record/")
    assert who(client) == "anna"
    assert roles("anna") == {"editor"}
    assert not User.objects.get(username="anna").has_usable_password()


def test_who_comes_again_has_the_same_account_and_the_roles_of_now(provider: str) -> None:
    known_there(provider, "anna", groups=["editors", "staff"])
    log_in(Client(), "anna")
    User.objects.get(username="anna").groups.add(Group.objects.get(name="enroller"))
    known_there(provider, "anna", groups=["staff"])
    log_in(Client(), "anna")
    assert roles("anna") == {"transcriber", "enroller"}
    assert User.objects.count() == 1


def test_without_rules_roles_are_given_by_people(provider: str, settings: Any) -> None:
    settings.OIDC_ROLES = {}
    known_there(provider, "anna", groups=["editors"])
    log_in(Client(), "anna")
    assert roles("anna") == set()


def test_nobody_takes_over_an_account_by_being_called_like_it(provider: str) -> None:
    User.objects.create_superuser("admin", email="admin@example.com", password="x")
    known_there(provider, "stranger", preferred_username="admin", email="admin@example.com")
    client = Client()
    log_in(client, "stranger")
    assert who(client) not in ("", "admin")
    assert not User.objects.get(username=who(client)).is_superuser


def test_a_closed_account_stays_closed(provider: str) -> None:
    known_there(provider, "anna")
    log_in(Client(), "anna")
    User.objects.update(is_active=False)
    client = Client()
    assert "This account is closed." in follow(client, log_in(client, "anna"))
    assert who(client) == ""


def test_newcomers_are_refused_where_accounts_are_made_by_people(provider: str, settings: Any) -> None:
    settings.OIDC_NEW_ACCOUNTS = False
    known_there(provider, "anna")
    client = Client()
    assert "You have no account here yet." in follow(client, log_in(client, "anna"))
    assert not User.objects.exists()


@pytest.mark.parametrize("query", [{"code": "made up"}, {"code": "made up", "state": "made up"}, {}])
def test_an_answer_that_nobody_asked_for_logs_nobody_in(query: dict[str, str]) -> None:
    client = Client()
    assert "did not work" in follow(client, client.get(f"{START}callback/", query))
    assert who(client) == ""


def test_who_is_refused_there_is_told_so(provider: str) -> None:
    client = Client()
    assert "did not work" in follow(client, log_in(client, "anna", deny=True))


def test_the_answer_to_one_browser_is_good_for_no_other(provider: str) -> None:
    known_there(provider, "anna")
    asked, other = Client(), Client()
    sent_there = asked.get(START)["Location"]
    back = requests.post(sent_there, data={"sub": "anna"}, allow_redirects=False, timeout=10)
    address = urlsplit(back.headers["Location"])
    other.get(address.path, parse_qs(address.query))
    assert who(other) == ""


def test_such_a_login_ends_after_some_hours(provider: str, settings: Any) -> None:
    settings.OIDC_LOGIN_HOURS = 2
    known_there(provider, "anna")
    client = Client()
    log_in(client, "anna")
    left = client.session.get_expiry_date() - timezone.now()
    assert 1.9 < left.total_seconds() / 3600 <= 2


def test_nobody_is_led_to_another_site(provider: str) -> None:
    known_there(provider, "anna")
    assert log_in(Client(), "anna", next_page="https://evil.example/")["Location"] == "/"


def test_a_provider_that_is_away_is_an_error_page_and_no_traceback(settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on("http://localhost:9", "asrsite", "secret")
    client = Client()
    assert "did not work" in follow(client, client.get(START))


def follow(client: Client, answer: Any) -> str:
    """The login page that it leads to, which says why."""
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    return client.get("/login/").content.decode()


@pytest.mark.parametrize(
    ("told", "groups"),
    [
        ({"userinfo": {"groups": ["a", "b"]}}, ["a", "b"]),
        ({"id_token": {"groups": ["a"]}, "userinfo": {}}, ["a"]),
        ({"userinfo": {"groups": "a"}}, ["a"]),
        ({"userinfo": {"groups": ["a", 7, None]}}, ["a"]),
        ({"userinfo": {"groups": {"a": 1}}}, []),
        ({"userinfo": None}, []),
        ({}, []),
    ],
)
def test_groups_are_read_as_providers_write_them(told: dict[str, Any], groups: list[str]) -> None:
    assert groups_of(told, "groups") == groups


def test_only_groups_that_stand_for_a_role_count() -> None:
    assert roles_of(["staff", "chess", "admin"], {"staff": "transcriber"}) == {"transcriber"}
