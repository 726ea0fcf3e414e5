"""`manage.py check`: what is dangerous is said, and what is not is left unsaid."""

from __future__ import annotations

import pytest
from django.core import checks
from pytest_django import Settings

from sessions_app.checks import check_access, check_debug


@pytest.mark.parametrize("access", ["local", "token"])
@pytest.mark.parametrize("is_here", [True, False])
def test_a_door_that_asks_is_no_danger(settings: Settings, access: str, is_here: bool) -> None:
    settings.ACCESS, settings.ON_LOOPBACK_ONLY = access, is_here

    assert check_access(None) == []


def test_an_open_door_to_the_network_is_warned_of(settings: Settings) -> None:
    settings.ACCESS, settings.ON_LOOPBACK_ONLY = "open", False

    [warning] = check_access(None)

    assert (warning.id, warning.level) == ("asrsite.W001", checks.WARNING)
    assert "ASR_ACCESS=open" in warning.msg
    assert warning.hint is not None
    assert "token" in warning.hint


def test_an_open_door_on_this_machine_alone_is_fine(settings: Settings) -> None:
    settings.ACCESS, settings.ON_LOOPBACK_ONLY = "open", True

    assert check_access(None) == []


@pytest.mark.parametrize(
    ("is_debugging", "is_here", "found"),
    [(True, False, ["asrsite.E001"]), (True, True, []), (False, False, []), (False, True, [])],
)
def test_debugging_over_a_network_stops_the_start(
    settings: Settings, is_debugging: bool, is_here: bool, found: list[str]
) -> None:
    settings.DEBUG, settings.ON_LOOPBACK_ONLY = is_debugging, is_here

    errors = check_debug(None)

    assert [error.id for error in errors] == found
    assert all(error.is_serious() for error in errors)


def test_both_are_run_by_django() -> None:
    assert {check_access, check_debug} <= set(checks.registry.registry.get_checks())
