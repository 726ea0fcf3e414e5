"""Places of wetext's tags in the text that they are about."""

from __future__ import annotations

from recognition.writing.tags import tags

CHARACTERS = 'char { value: "在" } '


def test_a_tag_stands_where_its_parts_were_spoken() -> None:
    tagged = CHARACTERS + 'date { month: "十二月" day: "十五号" }'
    [tag] = tags("在十二月十五号", tagged)
    assert (tag.kind, tag.begin, tag.stop) == ("date", 1, 7)
    assert tag.parts == {"month": "十二月", "day": "十五号"}


def test_blanks_of_the_text_are_no_part_of_the_tags() -> None:
    tagged = 'word { value: "at" }  cardinal { integer: "twenty five" }  word { value: "people" }'
    [tag] = tags("at  twenty five people", tagged)
    assert "at  twenty five people"[tag.begin : tag.stop] == "twenty five"


def test_what_a_tag_says_of_its_parts_stands_for_no_text() -> None:
    [tag] = tags("九八年", 'date { year: "九八年" preserve_order: "true" }')
    assert tag.parts == {"year": "九八年"}


def test_quotation_marks_and_backslashes_are_found_again() -> None:
    tagged = r'char { value: "\"" } char { value: "\\" } cardinal { value: "十二" }'
    [tag] = tags('"\\十二', tagged)
    assert (tag.begin, tag.stop) == (2, 4)


def test_tags_of_another_text_are_none() -> None:
    assert tags("在十三", CHARACTERS + 'cardinal { value: "十二" }') == []


def test_a_text_that_goes_on_behind_its_tags_is_not_theirs() -> None:
    assert tags("在十二个", CHARACTERS + 'cardinal { value: "十二" }') == []


def test_without_numbers_there_are_none() -> None:
    assert tags("在", CHARACTERS) == []
