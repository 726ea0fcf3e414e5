"""The second step of a login, and the pages where people set it up: by app, by passkey, by recovery code."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from audit.models import Entry
from sessions_app.access import second_factor
from tests.sessions_app.meetings import make_user
from tests.support.second_factors import Passkey, code_of

pytestmark = pytest.mark.django_db(transaction=False)

PASSWORD = "correct horse"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = "/login/second-step/"
SET_UP = "/login/set-up/"


@pytest.fixture(autouse=True)
def key(settings: Settings) -> None:
    settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]


@pytest.fixture
def anna() -> User:
    return with_password("anna", "transcriber")


@pytest.fixture
def client() -> Client:
    return new_client()


def new_client() -> Client:
    return Client(REMOTE_ADDR="203.0.113.7", HTTP_HOST="localhost")


def with_password(name: str, *groups: str) -> User:
    user = make_user(name, *groups)
    user.set_password(PASSWORD)
    user.save()
    return user


def log_in(client: Client, name: str = "anna", *, next_page: str = "") -> Any:
    return client.post("/login/", {"username": name, "password": PASSWORD, "next": next_page})


def is_logged_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def confirmed(user: User) -> Client:
    """A browser whose login has just been confirmed by the password."""
    client = new_client()
    client.force_login(user)
    answer = client.post("/account/confirm/?next=/account/", {"password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    return client


def actions() -> list[str]:
    kinds = ["login", "login-failed", "second-factor-add", "second-factor-remove", "recovery-codes"]
    return list(Entry.objects.filter(action__in=kinds).order_by("pk").values_list("action", flat=True))


class TestLogin:
    def test_without_a_second_factor_has_one_step(self, anna: User, client: Client) -> None:
        assert log_in(client, next_page="/record/")["Location"] == "/record/"
        assert is_logged_in(client)

    def test_with_one_the_password_is_not_enough(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        assert log_in(client)["Location"] == STEP
        assert not is_logged_in(client)
        assert "Code of your app" in client.get(STEP).text

    def test_the_code_of_the_app_is_the_second_step(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        log_in(client, next_page="/record/")
        assert client.post(STEP, {"code": code_of(SECRET)})["Location"] == "/record/"
        assert is_logged_in(client)
        entry = Entry.objects.get(action="login")
        assert entry.detail["second_factor"] == "totp"

    def test_a_place_elsewhere_is_not_gone_to(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        log_in(client, next_page="https://evil.example/")
        assert client.post(STEP, {"code": code_of(SECRET)})["Location"] == "/"

    @pytest.mark.parametrize("periods", [-1, 1])
    def test_a_clock_may_be_wrong_by_half_a_minute(self, anna: User, client: Client, periods: int) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        log_in(client)
        client.post(STEP, {"code": code_of(SECRET, periods=periods)})
        assert is_logged_in(client)

    @pytest.mark.parametrize("code", ["000000", "", "12345678", "' OR 1=1", "\0"])
    def test_another_code_is_refused_and_on_record(
        self, anna: User, client: Client, code: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        log_in(client)
        answer = client.post(STEP, {"code": code})
        assert answer.status_code == 200 and 'role="alert"' in answer.text
        assert not is_logged_in(client)
        if code.strip("\0"):
            assert "This is not the right code." in answer.text
            assert "login failed from 203.0.113.7 account='anna'" in caplog.text
            assert Entry.objects.get(action="login-failed").detail["step"] == 2

    def test_a_code_is_good_once(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        code = code_of(SECRET)
        for each, expected in ((client, True), (new_client(), False)):
            log_in(each)
            each.post(STEP, {"code": code})
            assert is_logged_in(each) is expected

    def test_a_recovery_code_is_good_once(self, anna: User, client: Client) -> None:
        code = second_factor.set_up_by_app(anna, SECRET)[3]
        for each, expected in ((client, True), (new_client(), False)):
            log_in(each)
            each.post(STEP, {"code": code})
            assert is_logged_in(each) is expected
        assert len(Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()) == 9

    def test_after_five_wrong_codes_the_right_one_is_not_looked_at(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        for number in range(5):
            each = Client(REMOTE_ADDR=f"203.0.113.{number}", HTTP_HOST="localhost")
            log_in(each)
            each.post(STEP, {"code": "000000"})
        log_in(client)
        assert 'role="alert"' in client.post(STEP, {"code": code_of(SECRET)}).text
        assert not is_logged_in(client)

    def test_who_has_shown_no_password_is_asked_for_it(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        assert client.get(STEP)["Location"] == "/login/"
        assert client.post(STEP, {"code": code_of(SECRET)})["Location"] == "/login/"

    def test_an_account_that_was_closed_meanwhile_stays_outside(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        log_in(client)
        User.objects.update(is_active=False)
        client.post(STEP, {"code": code_of(SECRET)})
        assert not is_logged_in(client)

    def test_the_admin_has_no_door_of_its_own(self, anna: User, client: Client) -> None:
        assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
        assert client.get("/admin/login/?next=/admin/")["Location"] == "/login/?next=/admin/"
        data = {"username": "anna", "password": PASSWORD}
        assert client.post("/admin/login/", data)["Location"] == "/login/?next=/admin/"
        assert not is_logged_in(client)

    def test_who_is_logged_in_and_may_not_administer_is_told_so(self, anna: User, client: Client) -> None:
        log_in(client)
        assert client.get("/admin/", follow=True).status_code == 403


class TestApp:
    def test_is_set_up_with_the_code_that_it_shows(
        self, anna: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        client = confirmed(anna)
        page = client.get("/account/second-factor/app/")
        secret = secret_on(page.text)
        assert "<svg" in page.text and "<?xml" not in page.text
        wrong = client.post("/account/second-factor/app/", {"code": "000000"})
        assert "This is not the right code." in wrong.text and secret_on(wrong.text) == secret
        with django_capture_on_commit_callbacks(execute=True):
            done = client.post("/account/second-factor/app/", {"code": code_of(secret)}, follow=True)
        assert len(re.findall(r"<li><code>\d{8}</code>", done.text)) == 10
        assert actions() == ["login", "second-factor-add", "second-factor-add"]
        account = client.get("/account/").text
        assert "App for codes" in account and "Add an app" not in account

    def test_says_whose_it_is_and_not_their_address(self, anna: User) -> None:
        anna.email = "anna@example.com"
        address = second_factor.SecondFactors().build_totp_url(anna, SECRET)
        assert address == f"otpauth://totp/anna?secret={SECRET}&issuer=Earshot"

    def test_is_removed_and_the_codes_with_it(self, anna: User) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        client = confirmed(anna)
        assert "Remove the app" in client.get("/account/second-factor/app/remove/").text
        client.post("/account/second-factor/app/remove/")
        assert not Authenticator.objects.exists()
        assert actions().count("second-factor-remove") == 2

    @pytest.mark.parametrize("page", ["app/", "passkeys/new/", "codes/", "codes/new/", "codes/file/"])
    def test_whoever_finds_a_browser_logged_in_needs_the_password(self, anna: User, page: str) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        Authenticator.objects.filter(type="totp").delete() if page == "app/" else None
        client = new_client()
        client.force_login(anna)
        answer = client.get(f"/account/second-factor/{page}")
        assert answer["Location"].startswith("/account/confirm/?next=")
        wrong = client.post(answer["Location"], {"password": "wrong"})
        assert 'role="alert"' in wrong.text

    def test_who_logs_in_by_the_provider_is_not_offered_one(self) -> None:
        client = new_client()
        client.force_login(make_user("by-provider"))
        assert "second-factor" not in client.get("/account/").text
        assert client.get("/account/second-factor/app/").status_code == 403


class TestRecoveryCodes:
    def test_new_ones_make_the_old_ones_worthless(
        self, anna: User, client: Client, django_capture_on_commit_callbacks: Any
    ) -> None:
        old = second_factor.set_up_by_app(anna, SECRET)
        keeper = confirmed(anna)
        with django_capture_on_commit_callbacks(execute=True):
            shown = keeper.post("/account/second-factor/codes/new/", follow=True).text
        assert old[0] not in shown
        log_in(client)
        client.post(STEP, {"code": old[0]})
        assert not is_logged_in(client)
        assert "recovery-codes" in actions()

    def test_are_had_as_a_file(self, anna: User) -> None:
        codes = second_factor.set_up_by_app(anna, SECRET)
        answer = confirmed(anna).get("/account/second-factor/codes/file/")
        assert answer.text.split() == codes
        assert "attachment" in answer["Content-Disposition"]


class TestPasskey:
    def test_logs_in_who_has_it(
        self, anna: User, client: Client, django_capture_on_commit_callbacks: Any
    ) -> None:
        passkey = Passkey("https://localhost")
        with django_capture_on_commit_callbacks(execute=True):
            add(confirmed(anna), passkey, name="Telephone")
        assert log_in(client)["Location"] == STEP
        show(client, passkey)
        assert is_logged_in(client)
        entry = Entry.objects.filter(action="login").latest("pk")
        assert entry.detail["second_factor"] == "webauthn"
        assert "Telephone" in client.get("/account/").text

    def test_another_one_does_not(self, anna: User, client: Client) -> None:
        passkey, other = Passkey("https://localhost"), Passkey("https://localhost")
        add(confirmed(anna), passkey)
        other.id = passkey.id
        log_in(client)
        assert "This is not the right code." in show(client, other).text
        assert not is_logged_in(client)
        assert "login-failed" in actions()

    def test_one_that_was_shown_to_another_site_does_not(self, anna: User, client: Client) -> None:
        passkey = Passkey("https://localhost")
        add(confirmed(anna), passkey)
        passkey.origin = "https://localhost.evil.example"
        log_in(client)
        show(client, passkey)
        assert not is_logged_in(client)

    def test_an_answer_is_good_once(self, anna: User, client: Client) -> None:
        passkey = Passkey("https://localhost")
        add(confirmed(anna), passkey)
        log_in(client)
        answer = passkey.get(options_on(client.get(STEP).text))
        client.post(STEP, {"credential": json.dumps(answer)})
        assert is_logged_in(client)
        other = new_client()
        log_in(other)
        other.get(STEP)
        other.post(STEP, {"credential": json.dumps(answer)})
        assert not is_logged_in(other)

    @pytest.mark.parametrize("credential", ["", "{", "[]", "{}", '{"id": "x"}', "null"])
    def test_what_is_none_is_refused(self, anna: User, client: Client, credential: str) -> None:
        add(confirmed(anna), Passkey("https://localhost"))
        log_in(client)
        client.get(STEP)
        assert client.post(STEP, {"credential": credential}).status_code == 200
        assert not is_logged_in(client)

    @pytest.mark.parametrize("credential", ["{", "[]", '{"id": "x"}', '{"id": 1, "response": {}}'])
    def test_none_is_added_by_what_is_none(self, anna: User, credential: str) -> None:
        client = confirmed(anna)
        page = "/account/second-factor/passkeys/new/"
        client.get(page)
        assert 'role="alert"' in client.post(page, {"credential": credential}).text
        assert not Authenticator.objects.exists()

    def test_without_one_none_is_asked_for(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        log_in(client)
        assert "Use a passkey" not in client.get(STEP).text

    def test_is_removed(self, anna: User, django_capture_on_commit_callbacks: Any) -> None:
        client = confirmed(anna)
        add(client, Passkey("https://localhost"), name="Telephone")
        page = f"/account/second-factor/passkeys/{Authenticator.objects.get(type='webauthn').pk}/remove/"
        assert "“Telephone”" in client.get(page).text
        client.post(page)
        assert not Authenticator.objects.exists()
        assert "second-factor-remove" in actions()

    def test_of_somebody_else_is_not_there(self, anna: User) -> None:
        add(confirmed(anna), Passkey("https://localhost"))
        boris = confirmed(with_password("boris"))
        page = f"/account/second-factor/passkeys/{Authenticator.objects.get(type='webauthn').pk}/remove/"
        assert boris.post(page).status_code == 404
        assert Authenticator.objects.filter(type="webauthn").exists()


class TestDemanded:
    @pytest.fixture(autouse=True)
    def demanded(self, settings: Settings) -> None:
        settings.SECOND_FACTOR_FOR = ["transcriber"]

    def test_who_has_none_sets_one_up_before_being_logged_in(self, anna: User, client: Client) -> None:
        assert log_in(client, next_page="/record/")["Location"] == SET_UP
        secret = secret_on(client.get(SET_UP).text)
        assert not is_logged_in(client)
        assert "This is not the right code." in client.post(SET_UP, {"code": "000000"}).text
        codes = client.post(SET_UP, {"code": code_of(secret)})
        assert len(re.findall(r"<li><code>\d{8}</code>", codes.text)) == 10
        assert not is_logged_in(client)
        assert client.get(SET_UP)["Location"] == "/record/"
        assert is_logged_in(client)
        assert actions() == ["second-factor-add", "login"]

    def test_the_next_login_asks_for_it(self, anna: User, client: Client) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        assert log_in(client)["Location"] == STEP
        client.post(STEP, {"code": code_of(SECRET)})
        assert is_logged_in(client)

    def test_of_others_it_is_not(self, client: Client) -> None:
        with_password("boris", "viewer")
        log_in(client, "boris")
        assert is_logged_in(client)

    def test_nobody_sets_one_up_who_has_shown_no_password(self, anna: User, client: Client) -> None:
        assert client.get(SET_UP)["Location"] == "/login/"
        assert client.post(SET_UP, {"code": "000000"})["Location"] == "/login/"

    def test_the_last_one_is_not_removed(self, anna: User) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        client = confirmed(anna)
        page = "/account/second-factor/app/remove/"
        assert "Your account must have a second factor." in client.get(page).text
        client.post(page)
        assert Authenticator.objects.filter(type="totp").exists()

    def test_one_of_two_is(self, anna: User) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        client = confirmed(anna)
        add(client, Passkey("https://localhost"))
        client.post("/account/second-factor/app/remove/")
        assert not Authenticator.objects.filter(type="totp").exists()
        page = f"/account/second-factor/passkeys/{Authenticator.objects.get(type='webauthn').pk}/remove/"
        assert "must have a second factor" in client.post(page, follow=True).text
        assert Authenticator.objects.filter(type="webauthn").exists()


class TestOfOthers:
    def test_a_manager_takes_away_what_somebody_has_lost(self, anna: User) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        manager = new_client()
        manager.force_login(make_user("manager", "manager"))
        assert "Take the second step away" in manager.get(f"/accounts/{anna.pk}/").text
        manager.post(reverse("remove-second-factor", args=[anna.pk]))
        assert not Authenticator.objects.exists()
        assert "Take the second step away" not in manager.get(f"/accounts/{anna.pk}/").text

    @pytest.mark.parametrize("role", ["transcriber", "manager"])
    def test_of_an_administrator_only_another_one_does(self, role: str) -> None:
        root = User.objects.create_superuser("root")
        second_factor.set_up_by_app(root, SECRET)
        client = new_client()
        client.force_login(make_user("other", role))
        assert client.post(reverse("remove-second-factor", args=[root.pk])).status_code == 403
        assert Authenticator.objects.exists()

    def test_following_a_link_takes_nothing_away(self, anna: User) -> None:
        client = new_client()
        client.force_login(make_user("manager", "manager"))
        assert client.get(reverse("remove-second-factor", args=[anna.pk])).status_code == 405


def secret_on(page: str) -> str:
    found = re.search(r'<code class="secret">([A-Z2-7]+)</code>', page)
    assert found
    return found[1]


def options_on(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def add(client: Client, passkey: Passkey, *, name: str = "") -> None:
    page = "/account/second-factor/passkeys/new/"
    credential = passkey.create(options_on(client.get(page).text))
    answer = client.post(page, {"name": name, "credential": json.dumps(credential)})
    assert answer.status_code == 302, answer.text


def show(client: Client, passkey: Passkey) -> Any:
    credential = passkey.get(options_on(client.get(STEP).text))
    return client.post(STEP, {"credential": json.dumps(credential)})
