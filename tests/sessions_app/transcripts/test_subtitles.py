from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.transcripts.alignment import align
from sessions_app.transcripts.subtitles import (
    MAX_MS,
    MAX_ROW_WIDTH,
    MAX_ROWS,
    Cue,
    before_words,
    cues,
    rows,
    with_translation,
)

LONG = (
    "今天我们讨论下个季度的预算，销售额比去年同期增长了百分之十二。"
    "成本也涨了不少，请大家看一下这张表，然后说说自己的想法。"
)


def cut(text: str, start_ms: int = 0, end_ms: int = 4000) -> list[Cue]:
    words = align(text, [], start_ms * 16, end_ms * 16)
    return cues(text, words, speaker="张三", start_ms=start_ms, end_ms=end_ms, samples_per_ms=16)


def test_a_short_line_is_one_cue() -> None:
    assert cut("好的。", 1000, 3000) == [Cue(1000, 3000, "张三", "好的。")]


@pytest.mark.parametrize(
    ("speaker", "written"),
    [("林静", "林静："), ("发言人 1", "发言人 1："), ("Bob", "Bob: "), ("Zoë 2", "Zoë 2: ")],
)
def test_a_name_is_followed_by_the_colon_of_its_script(speaker: str, written: str) -> None:
    assert before_words(speaker) == written


def test_a_long_line_is_cut_behind_its_marks() -> None:
    assert [cue.text for cue in cut(LONG, 0, 9000)] == [
        "今天我们讨论下个季度的预算，销售额比去年同期增长了百分之十二。",
        "成本也涨了不少，请大家看一下这张表，然后说说自己的想法。",
    ]


def test_a_slow_line_is_cut_too() -> None:
    found = cut("好的我想一想这个问题", 0, 20_000)
    assert len(found) > 1
    assert all(cue.end_ms - cue.start_ms <= MAX_MS for cue in found)


def test_a_word_that_fits_nowhere_stays_whole() -> None:
    assert [cue.text for cue in cut("x" * 300)] == ["x" * 300]


def test_the_time_of_a_piece_is_that_of_its_words() -> None:
    found = cut(LONG, 0, 9000)
    assert found[0].start_ms == 0
    assert found[-1].end_ms == 9000
    assert found[0].end_ms == found[1].start_ms


def test_a_line_without_a_length_stands_long_enough_to_be_seen() -> None:
    [cue] = cut("（笑）", 500, 500)
    assert cue.end_ms - cue.start_ms >= 1


def test_a_cue_has_at_most_two_rows_of_about_the_same_length() -> None:
    assert rows("好的。") == ["好的。"]
    assert rows("今天我们讨论下个季度的预算，销售额比去年同期增长了百分之十二。") == [
        "今天我们讨论下个季度的预算，", "销售额比去年同期增长了百分之十二。",
    ]  # fmt: skip
    assert rows("the budget for the next quarter is up by twelve percent") == [
        "the budget for the next", "quarter is up by twelve percent",
    ]  # fmt: skip


def test_a_translation_is_shared_out_among_the_cues_of_its_line_between_words() -> None:
    made = [Cue(0, 1, "", "一二三四五六"), Cue(1, 2, "", "七八九")]
    told = [cue.translation for cue in with_translation(made, "one two three four five six seven eight nine")]
    assert " ".join(told) == "one two three four five six seven eight nine"
    assert len(told[0]) > len(told[1]) > 0
    assert [cue.translation for cue in with_translation(made, "")] == ["", ""]


def test_no_row_begins_with_a_mark() -> None:
    assert rows("一二三四五六七八九十一二？！一二三四五六七八九十一二") == [
        "一二三四五六七八九十一二？！", "一二三四五六七八九十一二",
    ]  # fmt: skip


def test_no_word_is_broken() -> None:
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk"
    assert rows(long) == [long]
    assert rows(f"{long}好的") == [long, "好的"]


@given(st.text("今天讨论预算。，！ abcdef", max_size=200), st.integers(0, 60_000))
def test_nothing_is_lost_and_times_go_forward(text: str, length_ms: int) -> None:
    found = cut(text, 1000, 1000 + length_ms)
    assert "".join("".join(cue.text.split()) for cue in found) == "".join(text.split())
    times = [time for cue in found for time in (cue.start_ms, cue.end_ms)]
    assert all(cue.start_ms < cue.end_ms for cue in found)
    assert [cue.start_ms for cue in found] == sorted(cue.start_ms for cue in found)
    assert max(times) <= 1000 + max(length_ms, 1000)
    assert all(len(rows(cue.text)) <= MAX_ROWS for cue in found)
    assert MAX_ROW_WIDTH == 42
