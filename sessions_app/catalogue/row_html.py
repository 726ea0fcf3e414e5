"""Rows of the list as HTML: written here, for a template would take ten times as long for each."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from sessions_app.templatetags.durations import clock
from sessions_app.templatetags.lists import time_of_day

from . import talk_picture
from .listing import Person, Row

_STAR = '<path d="M10 2.8l2.200 4.600 5 .7-3.600 3.500.9 5-4.500-2.400-4.500 2.400.9-5-3.600-3.500 5-.7z"/>'
_FOLDER = (
    '<path d="M3 5.500h5l1.500 2H17v8H3z" fill="none" stroke="currentColor" stroke-width="1.600" '
    'stroke-linejoin="round"/>'
)


def write(rows: Iterable[Row], *, has_marks: bool) -> SafeString:
    """Return list items.

    Args:
        has_marks: Whether their reader may select them, and mark favourites.
    """
    return SafeString("".join(_row(row, has_marks) for row in rows))


def _row(row: Row, has_marks: bool) -> str:
    session, name = row.session, escape(str(row.session))
    return (
        f'<li class="session-row" data-key="{escape(session.key)}">{_marks(row, name) if has_marks else ""}'
        f'<h3><a href="{escape(session.get_absolute_url())}">{name}</a></h3>'
        f'<p class="row-facts">{time_of_day(session.created_at)}'
        f' <span class="length">{clock(session.duration_s)}</span></p>'
        f'<p class="row-people">{_people(row)}</p>'
        f"{talk_picture.svg(session.talk_picture)}{_excerpt(row.opening)}{_labels(row)}</li>"
    )


def _marks(row: Row, name: str) -> str:
    select = escape(_("Select “%(session)s”")) % {"session": name}
    favourite = escape(_("Favourite: “%(session)s”")) % {"session": name}
    is_pressed = "true" if row.is_favourite else "false"
    star = f'<svg viewBox="0 0 20 20" aria-hidden="true">{_STAR}</svg>'
    return (
        f'<span class="row-marks"><input type="checkbox" class="select-row" aria-label="{select}">'
        f'<button type="button" class="quiet icon star" aria-pressed="{is_pressed}" aria-label="{favourite}">'
        f"{star}</button></span>"
    )


def _people(row: Row) -> str:
    named = "".join(_person(person) for person in row.people) or escape(_("No speech"))
    more = _("and %(count)s more") % {"count": row.more_people} if row.more_people else ""
    return named + (f'<span class="row-person">{escape(more)}</span>' if more else "")


def _person(person: Person) -> str:
    dot = f'<span class="row-dot voice-{person.colour}" aria-hidden="true"></span>'
    return f'<span class="row-person">{dot}{escape(person.name)}</span>'


def _excerpt(opening: str) -> str:
    return f'<p class="excerpt">{escape(opening)}</p>' if opening else ""


def _labels(row: Row) -> str:
    folder = row.session.folder
    links = [_label("folder", folder.name, _FOLDER)] if folder else []
    links += [_label("tag", tag) for tag in row.tags]
    return f'<p class="labels">{"".join(links)}</p>' if links else ""


def _label(kind: str, name: str, drawn: str = "") -> str:
    icon = f'<svg viewBox="0 0 20 20" aria-hidden="true">{drawn}</svg>' if drawn else ""
    return f'<a class="label {kind}" href="?{kind}={quote(name)}">{icon}{escape(name)}</a>'
