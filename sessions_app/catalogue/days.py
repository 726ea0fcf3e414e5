"""Days as headings of a list: "Today", "Yesterday", dates; in the reader's language and time zone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import TypeVar

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

T = TypeVar("T")


def by_day(rows: Iterable[T], begun_at: Callable[[T], datetime], now: datetime) -> list[tuple[str, list[T]]]:
    """Return rows by the day of their reader, each with its heading; days and rows stay in their order."""
    groups: dict[date, list[T]] = {}
    for row in rows:
        groups.setdefault(timezone.localtime(begun_at(row)).date(), []).append(row)
    today = timezone.localtime(now).date()
    return [(day_name(day, today), found) for day, found in groups.items()]


def day_name(day: date, today: date) -> str:
    """Return a day as people say it."""
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if day.year == today.year:
        return date_format(day, pgettext("date format", "l, j F"))
    return date_format(day, pgettext("date format", "j F Y"))
