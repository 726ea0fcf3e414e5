"""Rows of the list as HTML."""

from __future__ import annotations

import re
from typing import Any

from django.utils import timezone

from sessions_app.catalogue import row_html
from sessions_app.catalogue.listing import Person, Row
from sessions_app.catalogue.talk_picture import Turn, draw
from sessions_app.models import Folder, Session

HOSTILE = """<b>"'&"""
SAFE = "&lt;b&gt;&quot;&#x27;&amp;"


def written(*, has_marks: bool = True, title: str = "Budget", **other: Any) -> str:
    session = Session(
        key="budget",
        title=title,
        created_at=timezone.now(),
        durable=16000 * 61,
        folder=other.pop("folder", None),
    )
    session.talk_picture = other.pop("picture", "")
    row: dict[str, Any] = {"people": [], "more_people": 0, "tags": [], "opening": "", "is_favourite": False}
    return row_html.write([Row(session=session, **row | other)], has_marks=has_marks)


def test_whatever_people_wrote_is_text() -> None:
    html = written(
        title=HOSTILE,
        people=[Person(HOSTILE, 1)],
        tags=[HOSTILE],
        opening=HOSTILE,
        folder=Folder(name=HOSTILE),
    )
    assert HOSTILE not in html
    assert html.count(SAFE) == 7  # name, two marks, person, opening, folder, tag
    assert html.count('="?tag=%3Cb%3E%22%27%26"') == html.count('="?folder=%3Cb%3E%22%27%26"') == 1


def test_a_name_with_a_percent_sign_is_a_name() -> None:
    assert 'aria-label="Select “100 %(x)s”"' in written(title="100 %(x)s")


def test_who_may_change_nothing_gets_nothing_to_press() -> None:
    assert "<button" in written()
    assert not re.search("<button|<input", written(has_marks=False))


def test_a_favourite_is_pressed() -> None:
    assert 'aria-pressed="true"' in written(is_favourite=True)
    assert 'aria-pressed="false"' in written()


def test_people_have_their_colours_and_those_without_room_are_counted() -> None:
    html = written(people=[Person("Alice", 3)], more_people=2)
    assert 'voice-3" aria-hidden="true"></span>Alice' in html
    assert "and 2 more" in html
    assert "No speech" in written()


def test_the_picture_is_there_if_one_was_drawn() -> None:
    assert '<path class="voice-2" d="M1.5' in written(picture=draw([Turn(0, 10, 2)], 600))
    assert 'class="talk"' not in written()


def test_the_length_is_told() -> None:
    assert '<span class="length">1:01</span>' in written()
