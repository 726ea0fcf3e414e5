"""Texts of meetings for language models."""

from __future__ import annotations

from typing import Any

import pytest

from asrsite.meeting_texts import clock, found_text, lines_text, list_text, minutes_text, news_text


def meeting(**more: Any) -> dict[str, Any]:
    return {
        "id": "周会-42",
        "name": "预算",
        "state": "live",
        "started_at": "2026-11-30T06:30:00.5Z",
        "duration_ms": 3_723_000,
        "speakers": ["林静", "王磊"],
        "more_speakers": False,
        "tags": [],
    } | more


def line(seq: int, start_ms: int = 0, text: str = "好的。") -> dict[str, Any]:
    return {
        "id": seq + 100,
        "seq": seq,
        "start_ms": start_ms,
        "text": text,
        "speaker": {"speaker_name": "林静"},
    }


def news(*lines: dict[str, Any], removed: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"lines": list(lines), "removed": list(removed), "seq": 9, "revision": 4}


def item(section: str = "action", **more: Any) -> dict[str, Any]:
    return {
        "section": section,
        "text": "把报告发给大家",
        "at_ms": 5000,
        "who": {"speaker_name": "王磊"},
        "until": "明天",
        "due": "2026-12-01",
        "is_done": False,
    } | more


@pytest.mark.parametrize(("ms", "text"), [(0, "0:00:00"), (61_999, "0:01:01"), (3_723_000, "1:02:03")])
def test_a_place_is_told_in_hours_minutes_and_seconds(ms: int, text: str) -> None:
    assert clock(ms) == text


class TestAList:
    def test_has_a_row_for_each_meeting(self) -> None:
        page = {"sessions": [meeting(tags=["产品"], more_speakers=True)], "next": None}
        assert list_text(page) == (
            "周会-42 | live | 2026-11-30T06:30 | 1:02:03 | 预算 | 林静, 王磊 and others | #产品"
        )

    def test_leaves_out_what_there_is_not(self) -> None:
        assert list_text({"sessions": [meeting(speakers=[])], "next": None}).endswith("| 预算")

    def test_says_how_it_goes_on(self) -> None:
        assert list_text({"sessions": [meeting()], "next": 7}).splitlines()[1] == "(more: before=7)"

    def test_says_so_when_there_is_none(self) -> None:
        assert list_text({"sessions": [], "next": None}) == "There is no such meeting."


class TestASearch:
    def test_names_meeting_place_and_speaker(self) -> None:
        hit = {"session": "m", "start_ms": 61_000, "speaker": "林静", "text": "预算通过了。"}
        assert found_text({"sessions": [], "lines": [hit], "next": None}) == "m [0:01:01] 林静: 预算通过了。"

    def test_tells_titles_first(self) -> None:
        assert found_text({"sessions": [meeting()], "lines": [], "next": None}).startswith(
            "Called so: 周会-42"
        )

    def test_says_so_when_nobody_said_it(self) -> None:
        assert found_text({"sessions": [], "lines": [], "next": None}) == "Nobody said that."


class TestATranscript:
    def test_has_a_row_for_each_line_and_where_it_goes_on(self) -> None:
        head, blank, *rows = lines_text(meeting(), news(line(1), line(2, 1000)), 10).splitlines()
        assert (head[:5], blank) == ("周会-42", "")
        assert rows == [
            "[1, 0:00:00] 林静: 好的。", "[2, 0:00:01] 林静: 好的。", "(goes on: after=9, changed_after=4)",
        ]  # fmt: skip

    def test_of_many_lines_comes_part_by_part(self) -> None:
        *_, last, mark = lines_text(meeting(), news(*map(line, range(1, 6))), 3).splitlines()
        assert (last[:3], mark) == ("[3,", "(goes on: after=3)")

    def test_is_in_the_order_in_which_it_was_said(self) -> None:
        late_number = news(line(1, 0), line(2, 5000), line(3, 2000))
        _, _, *rows, _ = lines_text(meeting(), late_number, 10).splitlines()
        assert [row[1] for row in rows] == ["1", "3", "2"]

    def test_of_a_meeting_that_is_over_has_an_end(self) -> None:
        assert lines_text(meeting(state="ended"), news(line(1)), 10).endswith("(the end)")


class TestNews:
    def test_has_lines_and_what_was_taken_out(self) -> None:
        rows = news_text(news(line(5), removed=(101,)), is_over=False).splitlines()
        assert rows == [
            "[5, 0:00:00] 林静: 好的。", "(line 101 was taken out)", "(goes on: after=9, changed_after=4)",
        ]  # fmt: skip

    def test_says_that_there_is_none(self) -> None:
        assert news_text(news(), is_over=False).startswith("(nothing new)\n(goes on")

    def test_says_that_the_meeting_is_over(self) -> None:
        assert news_text(news(), is_over=True) == "(the meeting has ended)"


class TestMinutes:
    def kept(self, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"is_out_of_date": False, "items": list(items), "key_words": []} | more

    def test_are_told_section_by_section(self) -> None:
        decision = item("decision", text="周二发布", who=None, until="", due=None)
        text = minutes_text(self.kept(decision, item(), item(is_done=True), key_words=[{"word": "预算"}]))
        assert text.splitlines() == [
            "## decision",
            "- [0:00:05] 周二发布",
            "",
            "## action",
            "- [0:00:05] 王磊: 把报告发给大家 (until 2026-12-01)",
            "- [0:00:05] 王磊: 把报告发给大家 (until 2026-12-01) [done]",
            "",
            "Key words: 预算",
        ]

    def test_have_a_day_as_it_was_said_where_no_date_is_known(self) -> None:
        assert "(until 明天)" in minutes_text(self.kept(item(due=None)))

    def test_say_that_they_are_out_of_date(self) -> None:
        assert minutes_text(self.kept(item(), is_out_of_date=True)).startswith("(lines have changed")

    def test_say_that_there_are_none(self) -> None:
        assert minutes_text(None).startswith("There are no minutes")
        assert minutes_text(self.kept()) == "Nothing came of it."
