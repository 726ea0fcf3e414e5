"""Pieces of HTML that are put together by hand: whatever people wrote stays text."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st
from pytest_django import Settings

from sessions_app.templatetags.lists import marked, moment, options

HOSTILE = ["<script>alert(1)</script>", '"><img src=x>', "a & b", "</option>", "'", "&lt;", "\u202egpj.exe"]


class Reader(HTMLParser):
    """A browser: which tags there are, and the text in them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_said_is_marked_and_never_markup(text: str) -> None:
    html = marked([("before ", False), (text, True), (text, False)])

    seen = Reader(html)
    assert seen.tags == ["mark"]
    assert "".join(seen.texts) == f"before {text}{text}"


@given(st.lists(st.tuples(st.text(alphabet="<>&\"'/ab ", min_size=1), st.booleans()), max_size=5))
@trying(max_examples=50)
def test_any_pieces_read_as_they_are(parts: list[tuple[str, bool]]) -> None:
    seen = Reader(marked(parts))

    assert "".join(seen.texts) == "".join(text for text, _ in parts)
    assert seen.tags == ["mark"] * sum(is_it for _, is_it in parts)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_a_choice(name: str) -> None:
    seen = Reader(options([(1, name, False), (2, "Bob", True)]))

    assert seen.tags == ["option", "option"]
    assert seen.texts == [name, "Bob"]


def test_the_chosen_one_is_chosen_and_no_other() -> None:
    html = options([(1, "Alice", False), (2, "Bob", True)])

    assert html == '<option value="1">Alice</option><option value="2" selected>Bob</option>'


def test_without_any_there_is_nothing() -> None:
    assert (marked([]), options([])) == ("", "")


class TestMoment:
    AT = datetime(2026, 12, 31, 23, 30, 5, 999, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("zone", "words", "for_programs"),
        [
            ("Africa/Accra", "31 Dec 2026, 23:30", "2026-12-31T23:30:05+00:00"),
            ("Asia/Tokyo", "1 Jan 2027, 08:30", "2027-01-01T08:30:05+09:00"),
            ("America/New_York", "31 Dec 2026, 18:30", "2026-12-31T18:30:05-05:00"),
        ],
    )
    def test_it_is_in_the_readers_zone_for_people_and_programs(
        self, zone: str, words: str, for_programs: str
    ) -> None:
        with timezone.override(ZoneInfo(zone)), translation.override("en"):
            html = moment(self.AT)

        assert html == f'<time datetime="{for_programs}">{words}</time>'

    @pytest.mark.parametrize(
        ("zone", "name"),
        [
            ("Asia/Shanghai", "UTC+8"),
            ("Asia/Kolkata", "UTC+5:30"),
            ("America/New_York", "UTC\u22125"),
            ("UTC", "UTC"),
        ],
    )
    def test_as_long_as_nobody_knows_the_readers_zone_it_is_named(
        self, settings: Settings, zone: str, name: str
    ) -> None:
        settings.TIME_ZONE = zone

        assert moment(self.AT).endswith(f'<span class="zone"> {name}</span></time>')

    def test_it_is_written_as_the_reader_writes_it(self) -> None:
        with translation.override("zh-hans"):
            assert "年" in moment(self.AT)
