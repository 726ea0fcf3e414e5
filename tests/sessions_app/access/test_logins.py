"""People see where they are logged in, and end what is not theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session as DjangoSession
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.access import logins
from sessions_app.access.logins import SEEN_S
from sessions_app.models import Login
from tests.sessions_app.meetings import make_user

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
ACCOUNT = reverse("account")


@pytest.fixture
def anna() -> User:
    return make_user("anna", "transcriber")


def browser(user: User, agent: str = FIREFOX, address: str = "203.0.113.9") -> Client:
    """One in which somebody has logged in and looked at their account."""
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    client.force_login(user)
    assert client.get(ACCOUNT).status_code == 200
    return client


def is_logged_in(client: Client) -> bool:
    return client.get(ACCOUNT).status_code == 200


def test_each_browser_is_shown_with_where_it_comes_from(anna: User) -> None:
    browser(anna, PHONE, "2001:db8::7")
    page = browser(anna).get(ACCOUNT).content.decode()
    for told in ("Firefox, Linux", "Safari, iPhone", "203.0.113.9", "2001:db8::7"):
        assert told in page
    assert page.count("this browser") == 1


def test_this_one_is_there_from_the_first_look_on(anna: User) -> None:
    client = Client()
    client.force_login(anna)
    assert client.get(ACCOUNT).content.decode().count("this browser") == 1


def test_those_of_others_are_not(anna: User) -> None:
    browser(make_user("ben"), PHONE)
    assert "iPhone" not in browser(anna).get(ACCOUNT).content.decode()


def test_one_is_ended_and_the_others_stay(anna: User) -> None:
    phone, own = browser(anna, PHONE), browser(anna)
    login = Login.objects.get(agent=PHONE)
    assert own.post(reverse("end-login", args=[login.pk])).status_code == 302
    assert not is_logged_in(phone)
    assert is_logged_in(own)
    assert "iPhone" not in own.get(ACCOUNT).content.decode()


def test_nobody_ends_one_of_somebody_else(anna: User) -> None:
    other = browser(make_user("ben"))
    login = Login.objects.get(user__username="ben")
    assert browser(anna).post(reverse("end-login", args=[login.pk])).status_code == 404
    assert is_logged_in(other)


def test_all_others_are_ended_at_once(anna: User) -> None:
    others, own = [browser(anna, PHONE) for _ in range(3)], browser(anna)
    ben = browser(make_user("ben"))
    own.post(reverse("end-other-logins"))
    assert not any(map(is_logged_in, others))
    assert is_logged_in(own) and is_logged_in(ben)


def test_a_link_alone_ends_nothing(anna: User) -> None:
    own = browser(anna)
    assert own.get(reverse("end-other-logins")).status_code == 405


def test_what_is_over_is_forgotten(anna: User) -> None:
    phone, tablet = browser(anna, PHONE), browser(anna, "tablet")
    phone.post("/logout/")
    DjangoSession.objects.filter(session_key=tablet.session.session_key).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    own = browser(anna)
    assert [login.session_key for login in logins.of(anna)] == [own.session.session_key]
    assert Login.objects.count() == 1


def test_another_password_ends_the_others_and_this_one_is_known_by_its_new_key(anna: User) -> None:
    anna.set_password("correct horse")
    anna.save()
    phone, own = browser(anna, PHONE), browser(anna)
    form = {
        "old_password": "correct horse",
        "new_password1": "battery staple",
        "new_password2": "battery staple",
    }
    assert own.post(reverse("change-password"), form).status_code == 302
    assert not is_logged_in(phone)
    assert is_logged_in(own)
    anna.refresh_from_db()
    assert [login.agent for login in logins.of(anna)] == [FIREFOX]


def test_the_last_use_is_noted_now_and_then(anna: User) -> None:
    own = browser(anna)
    long_ago = timezone.now() - timedelta(seconds=SEEN_S)
    Login.objects.update(seen_at=long_ago)
    own.get(ACCOUNT)
    assert Login.objects.get().seen_at == long_ago
    caches["process"].clear()
    own.get(ACCOUNT)
    assert Login.objects.get().seen_at > long_ago


def test_pages_that_ask_for_no_login_note_none(anna: User) -> None:
    client = Client()
    client.force_login(anna)
    client.get("/healthz")
    assert not Login.objects.exists()
