"""The model set of new sessions: the admin's choice, the settings' first; and the choice on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from sessions_app import model_sets
from sessions_app.models import DefaultModels
from sessions_app.store import commits

pytestmark = pytest.mark.django_db

FORM = "/admin/sessions_app/defaultmodels"


@pytest.fixture(autouse=True)
def two_sets(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "Our own <tones>"\nchecksum = true\n')
    settings.MODEL_SETS = [str(tmp_path / "own.toml"), "embedded"]


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def new_session(key: str = "a") -> str:
    return commits.get_or_create_session(key)[0].model_set


class TestDefault:
    def test_is_the_first_of_the_settings(self) -> None:
        assert new_session() == "own"

    def test_is_what_the_admin_says(self) -> None:
        DefaultModels.objects.create(name="embedded")

        assert new_session() == "embedded"

    def test_is_the_first_again_where_that_is_served_no_more(self) -> None:
        DefaultModels.objects.create(name="gone")

        assert new_session() == "own"

    def test_a_session_that_is_there_keeps_its_own(self) -> None:
        new_session()
        DefaultModels.objects.create(name="embedded")

        assert new_session() == "own"

    def test_a_second_one_takes_the_place_of_the_first(self) -> None:
        DefaultModels.objects.create(name="own")
        DefaultModels(name="embedded").save()

        assert list(DefaultModels.objects.values_list("name", flat=True)) == ["embedded"]


class TestAdmin:
    def test_only_served_sets_can_be_chosen(self, boss: Client) -> None:
        page = boss.get(f"{FORM}/add/").content.decode()
        assert '<option value="own">Our own &lt;tones&gt;</option>' in page
        assert '<option value="embedded">Embedded models</option>' in page

        boss.post(f"{FORM}/add/", {"name": "paraformer-zh"})
        assert not DefaultModels.objects.exists()
        boss.post(f"{FORM}/add/", {"name": "embedded"})
        assert model_sets.default_name() == "embedded"

    def test_it_is_chosen_once_and_then_changed_or_taken_back(self, boss: Client) -> None:
        choice = DefaultModels.objects.create(name="embedded")
        assert boss.get(f"{FORM}/add/").status_code == 403

        boss.post(f"{FORM}/{choice.pk}/change/", {"name": "own"})
        assert model_sets.default_name() == "own"

        boss.post(f"{FORM}/{choice.pk}/delete/", {"post": "yes"})
        assert not DefaultModels.objects.exists()

    def test_its_list_is_the_page_of_models(self, boss: Client) -> None:
        assert FORM in boss.get("/admin/").content.decode()
        assert boss.get(f"{FORM}/").headers["Location"] == "/models/"


class TestPageOfANewRecording:
    def page(self, client: Client, language: str = "en") -> str:
        return client.get("/record/", headers={"accept-language": language}).content.decode()

    def test_it_has_a_choice_of_the_served_sets_with_the_default_chosen(self, client: Client) -> None:
        DefaultModels.objects.create(name="embedded")
        page = self.page(client)

        assert '<select name="models">' in page
        assert '<option value="own">Our own &lt;tones&gt;</option>' in page
        assert '<option value="embedded" selected>Embedded models</option>' in page

    def test_their_titles_are_in_the_readers_language(self, client: Client) -> None:
        assert ">内置模型</option>" in self.page(client, "zh-hans")

    def test_without_a_choice_it_has_none(self, client: Client, settings: Any) -> None:
        settings.MODEL_SETS = ["embedded"]

        assert 'name="models"' not in self.page(client)
