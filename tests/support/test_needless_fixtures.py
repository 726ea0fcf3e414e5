from __future__ import annotations

import pytest
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.utils import translation
from pytest_django import plugin

from tests.support.needless_fixtures import OF_CASES, OF_OTHERS, WITHOUT_USE, needed

EVERY_TEST_S = [*WITHOUT_USE, *OF_OTHERS, OF_CASES]


class TestNeeded:
    def test_a_plain_test_keeps_its_own_fixtures_in_order(self) -> None:
        assert needed(["request", *EVERY_TEST_S, "tmp_path", "monkeypatch"], {"slow"}) == [
            *("request", "tmp_path", "monkeypatch")
        ]

    @pytest.mark.parametrize(
        ("name", "mark"), [(name, mark) for name, mark in WITHOUT_USE.items() if mark is not None]
    )
    def test_a_mark_keeps_what_it_is_for(self, name: str, mark: str) -> None:
        assert needed(EVERY_TEST_S, {mark}) == [name]

    @pytest.mark.parametrize(("name", "user"), OF_OTHERS.items())
    def test_a_fixture_keeps_the_one_that_it_needs_beside_it(self, name: str, user: str) -> None:
        assert needed([*EVERY_TEST_S, user], set()) == [name, user]


class TestEveryTest:
    def test_has_none_of_them(self, request: pytest.FixtureRequest) -> None:
        assert not {*EVERY_TEST_S} & {*request.fixturenames}

    @pytest.mark.django_db
    def test_has_the_database_if_it_is_marked(self, request: pytest.FixtureRequest) -> None:
        assert "_django_db_marker" in request.fixturenames
        assert not apps.get_model("sessions_app", "Session").objects.exists()

    def test_still_finds_them_in_pytest_django(self) -> None:
        assert {name for name in EVERY_TEST_S if not hasattr(plugin, name)} == set()

    def test_is_of_a_site_without_the_app_of_sites(self) -> None:
        assert not apps.is_installed("django.contrib.sites")


@pytest.mark.parametrize("time", ["first", "second"])
def test_letters_language_and_cache_are_not_left_to_the_next_test(time: str) -> None:
    assert mail.outbox == []
    assert translation.get_language() == "en"
    assert cache.get("left") is None
    mail.send_mail("Hello", "", None, ["anna@example.org"])
    translation.activate("zh-hans")
    cache.set("left", time)
