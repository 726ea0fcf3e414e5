"""Pieces of HTML that long lists are full of: a template would take ten times as long for each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def marked(parts: Iterable[tuple[str, bool]]) -> SafeString:
    """Write a text that comes in pieces: each, and whether it is marked."""
    pieces = (f"<mark>{escape(text)}</mark>" if is_it else escape(text) for text, is_it in parts)
    return SafeString("".join(pieces))


@register.filter
def moment(at: datetime) -> SafeString:
    """Write a time: for people, and for programs; its zone is named where it may not be the reader's."""
    local = timezone.localtime(at)
    # Browsers with scripts do without the zone: static/js/lib/moments.js writes other zones anew.
    is_default = timezone.get_current_timezone() == timezone.get_default_timezone()
    zone = format_html('<span class="zone"> {}</span>', _zone(local)) if is_default else ""
    text = date_format(local, "DATETIME_FORMAT")
    return format_html('<time datetime="{}">{}{}</time>', local.isoformat(timespec="seconds"), text, zone)


def _zone(local: datetime) -> str:
    """Return the zone by its distance from UTC, which reads the same everywhere: letters like CST do not."""
    minutes = int((local.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "\u2212"
    return f"UTC{sign}{hours}{f':{rest:02}' if rest else ''}" if minutes else "UTC"


@register.filter
def time_of_day(at: datetime) -> SafeString:
    """Write the time of day, in a list whose headings are days."""
    local = timezone.localtime(at)
    full = date_format(local, "DATETIME_FORMAT")
    shown = local.strftime("%H:%M")
    iso = local.isoformat(timespec="seconds")
    return format_html('<time class="of-day" datetime="{}" title="{}">{}</time>', iso, full, shown)


@register.filter
def options(choices: Iterable[tuple[int | str, str, bool]]) -> SafeString:
    """Write options to select from: value, label, and whether it is the chosen one."""
    rows = (
        f'<option value="{escape(str(value))}"{" selected" if is_chosen else ""}>{escape(label)}</option>'
        for value, label, is_chosen in choices
    )
    return SafeString("".join(rows))
