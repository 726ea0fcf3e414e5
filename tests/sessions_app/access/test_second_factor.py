"""Second factors: who must have one, what a password alone is worth, and how their secrets are kept."""

from __future__ import annotations

import base64
import json
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from audit.models import Entry
from sessions_app.access import second_factor
from tests.sessions_app.meetings import make_user

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def key(settings: Settings) -> None:
    settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]


@pytest.fixture
def anna() -> User:
    user = make_user("anna", "enroller")
    user.set_password(PASSWORD)
    user.save()
    return user


def by_program(user: User) -> int:
    shown = base64.b64encode(f"{user.username}:{PASSWORD}".encode()).decode()
    return Client(headers={"authorization": f"Basic {shown}"}).get("/api/speakers").status_code


class TestDemanded:
    @pytest.mark.parametrize(
        ("wanted", "anna_must", "root_must"),
        [
            ([], False, False),
            (["everybody"], True, True),
            (["administrators"], False, True),
            (["enroller"], True, False),
            (["viewer", "enroller"], True, False),
            (["viewer", "administrators"], False, True),
            (["nobody-has-this-group"], False, False),
        ],
    )
    def test_of_whom_the_settings_say(
        self, anna: User, settings: Settings, wanted: list[str], anna_must: bool, root_must: bool
    ) -> None:
        settings.SECOND_FACTOR_FOR = wanted
        root = User.objects.create_superuser("root")
        assert (second_factor.is_demanded(anna), second_factor.is_demanded(root)) == (anna_must, root_must)

    def test_no_longer_of_who_leaves_the_group(self, anna: User, settings: Settings) -> None:
        settings.SECOND_FACTOR_FOR = ["enroller"]
        anna.groups.remove(Group.objects.get(name="enroller"))
        assert not second_factor.is_demanded(anna)


class TestPasswordAlone:
    def test_is_enough_for_programs_of_who_has_no_other(self, anna: User) -> None:
        assert by_program(anna) == 200

    def test_is_not_where_there_is_a_second_factor(
        self, anna: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert by_program(anna) == 200  # known by now, and asked again all the same
        second_factor.set_up_by_app(anna, SECRET)
        assert by_program(anna) == 401
        assert "login without its second factor from 127.0.0.1 account='anna'" in caplog.text

    def test_is_not_where_there_must_be_one(self, anna: User, settings: Settings) -> None:
        settings.SECOND_FACTOR_FOR = ["enroller"]
        assert by_program(anna) == 401

    def test_recovery_codes_alone_ask_for_nothing(self, anna: User) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        Authenticator.objects.filter(type="totp").delete()
        assert by_program(anna) == 200

    def test_reads_no_page_either(self, anna: User) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        shown = base64.b64encode(f"anna:{PASSWORD}".encode()).decode()
        client = Client(REMOTE_ADDR="203.0.113.9", headers={"authorization": f"Basic {shown}"})
        assert client.get("/").status_code == 401


class TestSecrets:
    def test_are_in_the_database_only_sealed(self, anna: User) -> None:
        codes = second_factor.set_up_by_app(anna, SECRET)
        kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
        assert SECRET not in kept
        assert not [code for code in codes if code in kept]
        assert len(set(codes)) == 10 and all(len(code) == 8 for code in codes)

    def test_are_of_use_after_the_key_was_changed(
        self, anna: User, settings: Settings, tmp_path: Any
    ) -> None:
        settings.VOICEPRINT_KEYS, settings.VOICEPRINT_KEY_FILE = [], tmp_path / "keys"
        codes = second_factor.set_up_by_app(anna, SECRET)
        output = StringIO()
        call_command("rotate_keys", "--drop-old", stdout=output)
        assert "2 secrets of meetings and logins" in output.getvalue()
        app = Authenticator.objects.get(type="totp").wrap()
        assert second_factor.SecondFactors().decrypt(app.instance.data["secret"]) == SECRET
        assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == codes
        assert second_factor.rotate() == 0


class TestLost:
    def test_all_of_it_goes_and_that_is_on_record(self, anna: User) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        assert second_factor.remove_all(anna, by=None)
        assert not Authenticator.objects.exists()
        assert Entry.objects.filter(action="second-factor-remove").count() == 1
        assert by_program(anna) == 200

    def test_where_there_is_none_nothing_is_on_record(self, anna: User) -> None:
        assert not second_factor.remove_all(anna, by=None)
        assert not Entry.objects.filter(action="second-factor-remove").exists()

    def test_an_administrator_has_a_command(self, anna: User) -> None:
        second_factor.set_up_by_app(anna, SECRET)
        said = [_output("anna"), _output("anna")]
        assert said == ["anna has no second factor any more.\n", "anna has none.\n"]

    def test_the_command_names_an_account_that_is_none(self) -> None:
        with pytest.raises(CommandError, match="There is no account 'nobody'"):
            _output("nobody")


def _output(name: str) -> str:
    output = StringIO()
    call_command("remove_second_factor", name, stdout=output)
    return output.getvalue()
