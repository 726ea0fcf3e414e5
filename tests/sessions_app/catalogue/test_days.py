"""Headings of days."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime

import pytest
from django.utils import timezone, translation

from sessions_app.catalogue.days import by_day, day_name

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("language", "day", "name"),
    [
        ("en", date(2026, 11, 30), "Today"),
        ("en", date(2026, 11, 29), "Yesterday"),
        ("en", date(2026, 11, 28), "Saturday, 28 November"),
        ("en", date(2025, 12, 1), "1 December 2025"),
        ("en", date(2026, 12, 1), "Tuesday, 1 December"),
        ("zh-hans", date(2026, 11, 30), "今天"),
        ("zh-hans", date(2026, 11, 29), "昨天"),
        ("zh-hans", date(2026, 11, 28), "11月28日 星期六"),
        ("zh-hans", date(2025, 12, 1), "2025年12月1日"),
    ],
)
def test_days_are_called_as_people_call_them(language: str, day: date, name: str) -> None:
    with translation.override(language):
        assert day_name(day, TODAY) == name


def test_a_day_is_the_readers() -> None:
    evening = datetime(2026, 11, 29, 17, 3, tzinfo=UTC)
    now = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
    for zone, heading in (
        ("Asia/Shanghai", "Today"),
        ("America/New_York", "Today"),
        ("Europe/London", "Yesterday"),
    ):
        with timezone.override(zoneinfo.ZoneInfo(zone)):
            assert by_day([evening], lambda at: at, now) == [(heading, [evening])]


def test_days_and_what_is_in_them_stay_in_order() -> None:
    rows = [datetime(2026, 11, day, hour, tzinfo=UTC) for day, hour in ((30, 5), (30, 4), (29, 5), (28, 5))]
    now = datetime(2026, 11, 30, 6, tzinfo=UTC)
    with timezone.override(UTC):
        assert [len(found) for _, found in by_day(rows, lambda at: at, now)] == [2, 1, 1]
        assert by_day(rows, lambda at: at, now)[0][1] == rows[:2]
