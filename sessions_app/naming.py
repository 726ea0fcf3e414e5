"""Names of meetings, as people read them. Pure, but for the reader's language and time zone."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

SAMPLE_KEY = "sample-meeting"
"""The key of the sample meeting, which a first start shows."""

_MADE_UP = re.compile(
    r"(\d{8}-\d{4}-[0-9a-f]{4}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(-\d{1,2})?"
)
"""With a number behind it where a meeting continues another."""


def name_of(*, title: str, drawn_title: str, key: str, begun_at: datetime | None) -> str:
    """Return the best name there is: given by a person or a program, drawn from what was said, or the time.

    Args:
        begun_at: None while the meeting is not stored yet.
    """
    if title or not is_made_up(key):
        return title or key
    return drawn_title or (time_name(begun_at) if begun_at else key)


def is_made_up(key: str) -> bool:
    """Tell whether a key says nothing to people: the record page and the server make such."""
    return _MADE_UP.fullmatch(key) is not None


def time_name(begun_at: datetime) -> str:
    """Return "Meeting, 30 Nov, 01:14"."""
    written = date_format(timezone.localtime(begun_at), pgettext("date format", "j M, H:i"))
    return _("Meeting, %(time)s") % {"time": written}
