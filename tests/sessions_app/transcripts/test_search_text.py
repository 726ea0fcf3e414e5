"""What the index sees of a text, and where a text has what was looked for: any text, any piece of it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.catalogue.listing import _parts
from sessions_app.transcripts.search import MAX_LENGTH, pairs, places, search_text

TEXTS = st.text(alphabet="今天讨论abcÉéß ，。!-_%'\"🎤ＧＰ１デﾃﾞ\u0301\u202e\x00", max_size=30)


@given(TEXTS)
@settings(max_examples=60)
def test_seen_again_it_is_the_same(text: str) -> None:
    assert search_text(search_text(text).replace("_", " ")) == search_text(text)


@given(TEXTS)
@settings(max_examples=60)
def test_neither_case_nor_width_nor_marks_around_make_a_difference(text: str) -> None:
    assert search_text(text.upper()) == search_text(text.lower()) == search_text(f"，{text}。")


@given(TEXTS)
@settings(max_examples=60)
def test_pairs_tell_the_text_that_they_are_of(text: str) -> None:
    seen, found = search_text(text), pairs(text).split(" ")

    assert "".join(pair[0] for pair in found if pair) == seen
    assert all(len(pair) == 2 for pair in found[:-1])


@given(TEXTS, TEXTS)
@settings(max_examples=60)
def test_each_place_reads_as_what_was_looked_for_and_none_is_in_another(text: str, looked_for: str) -> None:
    found = places(text, looked_for)

    for begin, stop in found:
        assert 0 <= begin < stop <= len(text)
        assert search_text(text[begin:stop]) == search_text(looked_for)
    assert all(stop <= begin for (_, stop), (begin, _) in itertools.pairwise(found))


@given(TEXTS, st.integers(0, 30), st.integers(1, 10))
@settings(max_examples=60)
def test_any_piece_that_has_a_letter_is_found_where_it_is(text: str, at: int, length: int) -> None:
    """Whole characters of it: a combining mark belongs to the letter before it."""
    piece = text[at : at + length]
    if search_text(piece) and search_text(piece) in search_text(text):
        assert places(text, piece)


@given(TEXTS, TEXTS)
@settings(max_examples=60)
def test_marking_leaves_the_text_as_it_is(text: str, looked_for: str) -> None:
    parts = _parts(text, looked_for)

    assert "".join(part for part, _ in parts) == text
    assert all(part for part, _ in parts)
    assert sum(is_found for _, is_found in parts) == len(places(text, looked_for))


@pytest.mark.parametrize("text", ["", " ", "。！？", "\x00", "\u202e", "🎤", "_%*", "\u0301"])
def test_what_has_no_letter_is_nothing_to_look_for(text: str) -> None:
    assert search_text(text) == ""
    assert places("今天讨论 abc 🎤。！", text) == []


@pytest.mark.parametrize(
    ("text", "looked_for", "marked"),
    [
        ("今天讨论，预算", "讨论预算", ["讨论，预算"]),
        ("GPU, gpu, ＧＰＵ", "gpu", ["GPU", "gpu", "ＧＰＵ"]),
        ("aaa", "aa", ["aa"]),
        ("Straße", "ss", ["ß"]),
        ("ﬁne", "fi", ["ﬁ"]),
        ("cafe\u0301s", "é", ["e\u0301"]),
        ("hello   world", "hello world", ["hello   world"]),
        ("hello, world", "hello world", ["hello, world"]),
        ("用 GPU", "用gpu", ["用 GPU"]),
    ],
)
def test_what_is_marked_is_the_text_as_it_was_written(text: str, looked_for: str, marked: list[str]) -> None:
    assert [text[begin:stop] for begin, stop in places(text, looked_for)] == marked


def test_of_a_long_question_its_beginning_counts() -> None:
    text = "好" * (2 * MAX_LENGTH)

    assert places(text, text) == [(0, MAX_LENGTH), (MAX_LENGTH, 2 * MAX_LENGTH)]
