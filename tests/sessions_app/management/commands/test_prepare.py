"""`manage.py prepare`: an account and the models, made once and told once."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError
from pytest_django import Settings

from recognition.model_sets import selection
from recognition.model_sets.reading import read_model_set
from sessions_app.management.commands import prepare

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The other commands that it gives."""
    calls: list[tuple[str, ...]] = []

    def call(*arguments: str, **options: Any) -> None:
        calls.append(arguments)

    monkeypatch.setattr(prepare, "call_command", call)
    return calls


def run() -> str:
    out = io.StringIO()
    prepare.Command(stdout=out, no_color=True).handle()
    return out.getvalue()


def test_the_database_comes_first(called: list[tuple[str, ...]]) -> None:
    run()

    assert called == [("migrate",)]


def test_the_password_that_is_shown_opens_the_account() -> None:
    said = run()

    shown = re.search(r"^    admin / (\S{12})$", said, re.MULTILINE)
    assert shown is not None
    user = authenticate(username="admin", password=shown[1])
    assert isinstance(user, User)
    assert user.is_superuser


def test_done_again_it_makes_and_shows_nothing() -> None:
    run()
    password = User.objects.get().password

    assert run() == ""
    assert User.objects.get().password == password


def test_an_installation_that_has_an_administrator_gets_no_other() -> None:
    User.objects.create_superuser("boss")

    assert run() == ""
    assert not User.objects.filter(username="admin").exists()


def test_two_installations_have_two_passwords() -> None:
    first = run()
    User.objects.all().delete()

    assert run() != first


def test_somebody_who_is_only_called_admin_is_left_as_they_are() -> None:
    User.objects.create_user("admin", password="mine")

    said = run()

    assert "manage.py createsuperuser" in said
    assert authenticate(username="admin", password="mine") is not None
    assert not User.objects.filter(is_superuser=True).exists()


def fail_to_pull(command: str, *arguments: str, **options: Any) -> None:
    """What a command does without a network."""
    if command == "models":
        raise CommandError("no network")


class TestModels:
    def test_what_comes_from_a_hub_is_fetched(
        self, settings: Settings, tmp_path: Path, called: list[tuple[str, ...]]
    ) -> None:
        settings.MODEL_SETS, settings.MODELS_DIR = ["paraformer-zh"], tmp_path

        run()

        assert called == [("migrate",), ("models", "pull", "paraformer-zh")]

    def test_the_built_in_ones_are_here(
        self, settings: Settings, tmp_path: Path, called: list[tuple[str, ...]]
    ) -> None:
        settings.MODEL_SETS, settings.MODELS_DIR = ["embedded"], tmp_path

        run()

        assert called == [("migrate",)]

    def test_without_a_network_one_line_says_so_and_what_to_do(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MODEL_SETS, settings.MODELS_DIR = ["auto"], tmp_path
        monkeypatch.setattr(selection, "to_fetch", lambda *_: [read_model_set("paraformer-zh")])
        monkeypatch.setattr(prepare, "call_command", fail_to_pull)
        run()

        said = run()

        assert said.count("\n") == 1
        assert said.startswith("Paraformer, Mandarin could not be fetched")
        assert "no network. To try again: python manage.py models pull paraformer-zh [--from FOLDER]" in said

    def test_a_set_that_was_asked_for_by_name_must_come(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MODEL_SETS, settings.MODELS_DIR = ["auto", "paraformer-zh"], tmp_path
        monkeypatch.setattr(selection, "to_fetch", lambda *_: [read_model_set("paraformer-zh")])
        monkeypatch.setattr(prepare, "call_command", fail_to_pull)

        with pytest.raises(CommandError, match="no network"):
            run()

    def test_a_set_that_is_not_there_is_named_and_the_account_is_made_all_the_same(
        self, settings: Settings
    ) -> None:
        settings.MODEL_SETS = ["whisper"]

        with pytest.raises(CommandError, match="there is no model set 'whisper'"):
            run()

        assert User.objects.filter(username="admin").exists()
