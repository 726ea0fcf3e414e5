"""Shares as people read them."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def percent(share: float | str | None) -> str:
    """Write 0.045 as "4.5 %"; a dash for what was not measured."""
    return f"{share:.1%}".replace("%", " %") if isinstance(share, float) else "–"
