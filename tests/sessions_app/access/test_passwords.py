"""Passwords at every door: counted before they are looked at, told apart by nobody, on record."""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.models import User
from django.test import Client
from redis.exceptions import ConnectionError as RedisGone

from audit.models import Entry
from sessions_app.access import passwords
from sessions_app.access.hashing_pool import Busy
from sessions_app.access.login_limits import ADDRESS, PLACE
from tests.support.server import ROOT

pytestmark = pytest.mark.django_db

RIGHT, WRONG = "correct horse", "wrong"


@pytest.fixture(autouse=True)
def anna() -> User:
    return User.objects.create_superuser("anna", password=RIGHT)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were looked at."""
    seen: list[str] = []

    def verify(password: str, *rest: Any, ask: Any = hashers.verify_password) -> Any:
        seen.append(password)
        return ask(password, *rest)

    def make(password: str, *rest: Any, ask: Any = hashers.make_password) -> Any:
        seen.append(password)
        return ask(password, *rest)

    monkeypatch.setattr(passwords, "verify_password", verify)
    monkeypatch.setattr(passwords, "make_password", make)
    return seen


OLDER = "django.contrib.auth.hashers.PBKDF2PasswordHasher"


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def by_page(password: str, *, name: str = "anna", address: str = "203.0.113.9") -> Any:
    return Client().post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def by_api(password: str, *, name: str = "anna", address: str = "203.0.113.9") -> Any:
    return Client().get(
        "/api/speakers", REMOTE_ADDR=address, headers={"authorization": basic(name, password)}
    )


@pytest.mark.parametrize("door", [by_page, by_api])
class TestEachDoor:
    def test_lets_in_by_the_right_password(self, door: Callable[..., Any]) -> None:
        assert door(RIGHT).status_code in (200, 302)

    def test_looks_at_no_more_after_too_many_wrong_ones(
        self, door: Callable[..., Any], hashed: list[str]
    ) -> None:
        answers = [door(WRONG).status_code for _ in range(PLACE.free)]
        assert 429 not in answers and len(hashed) == PLACE.free
        assert not Entry.objects.filter(action="login-refused").exists()
        refused = door(RIGHT)
        assert Entry.objects.filter(action="login-refused", address="203.0.113.9").count() == 1
        assert refused.status_code == 429 and int(refused["Retry-After"]) >= 1
        assert len(hashed) == PLACE.free

    def test_the_next_costs_twice_the_time(
        self, door: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1_000_000.0]
        monkeypatch.setattr(time, "time", lambda: now[0])
        waits = []
        for _ in range(PLACE.free):
            door(WRONG)
        for _ in range(4):
            waits.append(int(door(WRONG)["Retry-After"]))
            now[0] += waits[-1]
            assert door(WRONG).status_code != 429
        assert waits == [1, 2, 4, 8]


def test_an_address_that_tries_many_names_is_held_up(hashed: list[str]) -> None:
    for number in range(ADDRESS.free):
        assert by_page(WRONG, name=f"name-{number}").status_code == 200
    assert by_page(WRONG, name="another").status_code == 429
    assert by_page(RIGHT, address="198.51.100.1").status_code == 302


def test_the_owner_gets_in_where_they_are_known_though_others_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    assert by_page(RIGHT, address="198.51.100.1").status_code == 302
    for number in range(60):
        by_page(WRONG, address=f"203.0.113.{number}")
    passwords._remembered.clear()
    assert by_page(RIGHT, address="198.51.100.1").status_code == 302
    assert by_page(RIGHT, address="198.51.100.2").status_code == 429


def test_right_ones_are_not_counted() -> None:
    for _ in range(3 * ADDRESS.free):
        passwords._remembered.clear()
        assert by_page(RIGHT).status_code == 302


def test_a_name_that_nobody_has_takes_as_long_as_one(hashed: list[str]) -> None:
    without = User.objects.create_user("without")
    assert not without.has_usable_password()
    for name in ("anna", "nobody", "without"):
        by_page(WRONG, name=name)
    assert hashed == [WRONG] * 3


def test_a_program_that_shows_its_password_each_time_is_looked_at_once(hashed: list[str], anna: User) -> None:
    assert {by_api(RIGHT).status_code for _ in range(5)} == {200}
    assert hashed == [RIGHT]
    anna.set_password("another")
    anna.save()
    assert by_api(RIGHT).status_code == 401


def test_a_closed_account_is_not_let_in_though_its_password_was_seen(anna: User) -> None:
    assert by_api(RIGHT).status_code == 200
    User.objects.update(is_active=False)
    assert by_api(RIGHT).status_code == 401
    passwords._remembered.clear()
    assert by_api(RIGHT).status_code == 401


def test_when_too_many_wait_the_next_is_refused_and_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def run(self, *_: object) -> object:
            raise Busy

    with monkeypatch.context() as context:
        context.setattr(passwords, "pool", Full())
        assert {by_page(WRONG).status_code for _ in range(2 * PLACE.free)} == {429}
    assert by_page(RIGHT).status_code == 302


def test_a_hash_of_an_older_kind_is_made_anew(anna: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, OLDER]
    anna.password = hashers.make_password(RIGHT, hasher="pbkdf2_sha256")
    anna.save()
    assert by_page(RIGHT).status_code == 302
    anna.refresh_from_db()
    assert anna.password.startswith("md5$")


def test_they_are_counted_though_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def get_many(self, *_: object) -> object:
            raise RedisGone("no")

        set_many = get_many

    monkeypatch.setattr(passwords, "cache", Gone())
    for _ in range(PLACE.free):
        by_page(WRONG)
    assert by_page(RIGHT).status_code == 429


class TestLog:
    @pytest.fixture
    def lines(self, caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
        caplog.set_level(logging.WARNING, "asrsite.logins")
        form = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        return lambda: [form.format(each) for each in caplog.records if each.name == "asrsite.logins"]

    def test_says_from_where_and_which_account(self, lines: Callable[[], list[str]]) -> None:
        by_page(WRONG)
        (line,) = lines()
        assert line.endswith("login failed from 203.0.113.9 account='anna'")

    def test_never_what_was_typed_for_a_name(self, lines: Callable[[], list[str]]) -> None:
        by_page(WRONG, name="my secret password")
        (line,) = lines()
        assert line.endswith("login failed from 203.0.113.9 account=None")

    def test_fail2ban_reads_it(self, lines: Callable[[], list[str]]) -> None:
        for _ in range(PLACE.free + 2):
            by_page(WRONG)
        text = (ROOT / "deploy" / "fail2ban" / "filter.conf").read_text()
        (pattern,) = re.findall(r"^failregex = (.+)$", text, re.M)
        found = [re.search(pattern.replace("<HOST>", r"(\S+)"), line) for line in lines()]
        assert [match and match[1] for match in found] == ["203.0.113.9"] * (PLACE.free + 2)
