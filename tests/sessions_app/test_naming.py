"""Names of meetings."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime

import pytest
from django.utils import timezone, translation

from sessions_app.naming import is_made_up, name_of

AT = datetime(2026, 11, 29, 17, 14, tzinfo=UTC)
MADE_UP = "20261130-0114-bfa0"


def name(title: str = "", drawn: str = "", key: str = MADE_UP) -> str:
    with timezone.override(zoneinfo.ZoneInfo("Asia/Shanghai")):
        return name_of(title=title, drawn_title=drawn, key=key, begun_at=AT)


def test_a_title_that_a_person_gave_is_never_replaced() -> None:
    assert name("Budget", "The third quarter", "weekly") == "Budget"


def test_a_meeting_without_one_is_called_by_what_was_said() -> None:
    assert name(drawn="The third quarter") == "The third quarter"


def test_before_anything_was_said_it_is_called_by_its_time_in_both_languages() -> None:
    assert name() == "Meeting, 30 Nov, 01:14"
    with translation.override("zh-hans"):
        assert name() == "会议 11月30日 01:14"


def test_a_key_that_somebody_chose_is_a_name() -> None:
    assert name(drawn="The third quarter", key="weekly") == "weekly"


@pytest.mark.parametrize(
    ("key", "is_it"),
    [
        (MADE_UP, True),
        ("0" * 32, True),
        ("4f1c2d3e-0000-4000-8000-000000000000", True),
        ("20261130-0114-bfa0-2", True),
        ("0" * 32 + "-12", True),
        ("周会-2", False),
        ("20261130", False),
        ("20261130-0114-bfa0-b", False),
        ("周会", False),
        ("", False),
    ],
)
def test_keys_that_machines_made_are_told_from_others(key: str, is_it: bool) -> None:
    assert is_made_up(key) == is_it


def test_one_that_is_not_stored_yet_has_its_key() -> None:
    assert name_of(title="", drawn_title="", key=MADE_UP, begun_at=None) == MADE_UP
