"""`manage.py check`: what is dangerous is said, and what is not is left unsaid."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core import checks
from pytest_django import Settings

from sessions_app.checks import check_access, check_debug, check_logo


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


def test_a_logo_that_cannot_be_read_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    settings.PAPER_LOGO = str(tmp_path / "gone.png")

    [error] = check_logo(None)

    assert error.is_serious()
    assert "gone.png" in error.msg


def test_no_logo_and_a_good_one_are_fine(settings: Settings, tmp_path: Path) -> None:
    settings.PAPER_LOGO = ""
    assert check_logo(None) == []

    settings.PAPER_LOGO = str(tmp_path / "logo.svg")
    Path(settings.PAPER_LOGO).write_text("<svg/>")
    assert check_logo(None) == []


def test_all_are_run_by_django() -> None:
    assert {check_access, check_debug, check_logo} <= set(checks.registry.registry.get_checks())
