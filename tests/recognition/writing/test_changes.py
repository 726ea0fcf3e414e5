"""From a heard line to a written one: its text, its times, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.interfaces import Token
from recognition.writing.changes import (
    Change,
    Rewrite,
    as_columns,
    from_columns,
    shown,
    together,
    write,
    written_text,
)

HEARD = "完成了百分之八十，还差两万元。"
PERCENT, MONEY = Change(3, 8, "80%"), Change(11, 13, "2万")


def tokens(text: str, length: int = 10) -> list[Token]:
    """A token for each character that is no mark, one after the other."""
    said = [character for character in text if character not in "，。"]
    return [Token(character, at * length, (at + 1) * length) for at, character in enumerate(said)]


class TestText:
    def test_has_what_is_written_instead(self) -> None:
        assert write(HEARD, (), [PERCENT, MONEY]).text == "完成了80%，还差2万元。"

    def test_stays_without_changes(self) -> None:
        written = write(HEARD, tokens(HEARD), [])
        assert (written.text, list(written.tokens), written.rewrites) == (HEARD, tokens(HEARD), ())

    def test_leads_back_to_what_was_heard(self) -> None:
        written = write(HEARD, (), [PERCENT, MONEY])
        assert [each.heard for each in written.rewrites] == ["百分之八十", "两万"]
        assert written_text(HEARD, written.rewrites) == written.text

    @given(st.text("一二三，。ab", max_size=12), st.data())
    def test_is_found_again_whatever_is_changed(self, heard: str, data: st.DataObject) -> None:
        edges = sorted(data.draw(st.sets(st.integers(0, len(heard)), max_size=6)))
        pieces = zip(edges[::2], edges[1::2], strict=False)
        changes = [Change(a, b, data.draw(st.text("09%", max_size=3))) for a, b in pieces]
        written = write(heard, (), changes)
        assert written_text(heard, written.rewrites) == written.text
        assert shown(written.text, written.rewrites) == list(written.rewrites)


class TestTimes:
    def test_of_a_change_are_those_of_all_that_was_heard(self) -> None:
        told = write(HEARD, tokens(HEARD), [PERCENT]).tokens
        assert [(token.text, token.start, token.end) for token in told][2:5] == [
            ("了", 20, 30),
            ("80", 30, 80),
            ("还", 80, 90),
        ]

    def test_are_shared_by_the_words_that_are_written(self) -> None:
        told = write("九点半", tokens("九点半"), [Change(0, 3, "9:30")]).tokens
        assert [(token.text, token.start, token.end) for token in told] == [("9", 0, 15), ("30", 15, 30)]

    def test_of_other_words_stay(self) -> None:
        told = write(HEARD, tokens(HEARD), [PERCENT, MONEY]).tokens
        kept = [token for token in tokens(HEARD) if token.text in "完成了还差元"]
        assert [token for token in told if not token.text[0].isdigit() and token.text != "万"] == kept

    def test_of_words_with_letters_are_found_in_any_case(self) -> None:
        said = [Token("twenty", 0, 5), Token("five", 5, 9), Token("ok", 9, 12)]
        told = write("Twenty five, OK.", said, [Change(0, 11, "25")]).tokens
        assert [(token.text, token.start, token.end) for token in told] == [("25", 0, 9), ("ok", 9, 12)]

    def test_are_nobody_s_where_the_recogniser_gave_none(self) -> None:
        assert write(HEARD, (), [PERCENT]).tokens == ()

    def test_of_a_word_that_was_taken_out_go_with_the_place(self) -> None:
        told = write("嗯好", tokens("嗯好"), [Change(0, 1, "")]).tokens
        assert [token.text for token in told] == ["嗯", "好"]


class TestTogether:
    def test_changes_of_two_kinds_are_in_order(self) -> None:
        assert together([MONEY], [PERCENT]) == [PERCENT, MONEY]

    @pytest.mark.parametrize("other", [Change(3, 4, "x"), Change(7, 9, "x"), Change(2, 12, "x")])
    def test_the_first_kind_has_the_piece_that_both_want(self, other: Change) -> None:
        assert together([PERCENT], [other]) == [PERCENT]

    def test_neighbours_do_not_want_the_same(self) -> None:
        assert together([PERCENT], [Change(8, 9, ",")]) == [PERCENT, Change(8, 9, ",")]


class TestShown:
    def test_is_what_still_stands_where_it_was_written(self) -> None:
        written = write(HEARD, (), [PERCENT, MONEY])
        assert shown("完成了80%。", written.rewrites) == [written.rewrites[0]]
        assert shown(HEARD, written.rewrites) == []

    def test_columns_lead_back(self) -> None:
        rewrites = [Rewrite(3, 6, "百分之八十", "80%"), Rewrite(9, 11, "王雷", "王磊", rule=7)]
        assert from_columns(as_columns(rewrites)) == rewrites
