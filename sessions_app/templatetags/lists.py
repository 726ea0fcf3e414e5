"""Pieces of HTML that long lists are full of: a template would take ten times as long for each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
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
    """Write a time: for people in the zone of the installation, and for programs."""
    local = timezone.localtime(at)
    text = date_format(local, "DATETIME_FORMAT")
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


@register.filter
def options(choices: Iterable[tuple[int, str, bool]]) -> SafeString:
    """Write options to select from: value, label, and whether it is the chosen one."""
    rows = (
        f'<option value="{value}"{" selected" if is_chosen else ""}>{escape(label)}</option>'
        for value, label, is_chosen in choices
    )
    return SafeString("".join(rows))
