"""Text of strangers."""

from __future__ import annotations

import pytest

from sessions_app.wire.untrusted import is_plain, json_field, one_line, read_json, whole_number


class TestOneLine:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("周会  42\n", "周会 42"),
            ("a\0b", "a b"),
            ("red\x1b[31m", "red [31m"),
            ("report\u202egnp.exe", "reportgnp.exe"),
            ("\u2067a\u2069\u200f", "a"),
            ("one\u2028two\x85three", "one two three"),
            ("\ud800x", "x"),
            ("👩\u200d👧 नमस्ते", "👩\u200d👧 नमस्ते"),
            ("\u202e\x00", ""),
        ],
    )
    def test_shows_what_it_says_and_nothing_else(self, text: str, line: str) -> None:
        assert one_line(text) == line


class TestWholeNumber:
    @pytest.mark.parametrize(
        ("text", "number"),
        [("0", 0), ("42", 42), ("007", 7), ("9" * 18, 10**18 - 1)],
    )
    def test_is_digits_alone(self, text: str, number: int) -> None:
        assert whole_number(text) == number

    @pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1.5", "1e3", "4_2", "４２", "²", "9" * 19])
    def test_anything_else_is_none(self, text: str) -> None:
        assert whole_number(text) is None

    def test_a_longer_one_than_is_asked_for_is_none(self) -> None:
        assert whole_number("1234", max_digits=4) == 1234
        assert whole_number("12345", max_digits=4) is None


class TestPlain:
    @pytest.mark.parametrize("text", ["", "周会-42", "Réunion", "Nguyễn", "สวัสดีน้ำ", "नमस्ते", "회의"])
    def test_languages_are(self, text: str) -> None:
        assert is_plain(text)

    @pytest.mark.parametrize(
        "text",
        ["a\u115f", "\u2800", "\u3164x", "o" + "\u0301" * 60, "a\u0301\u0302\u0303\u0304\u0305", "\u0301a"],
    )
    def test_what_cannot_be_seen_or_is_buried_is_not(self, text: str) -> None:
        assert not is_plain(text)


class TestJson:
    def test_is_read(self) -> None:
        assert read_json(b'{"a": [1]}') == {"a": [1]}

    @pytest.mark.parametrize("text", ["", "{", "[" * 900_000, '{"a":' * 100_000])
    def test_what_is_none_or_too_deep_is_an_error_of_the_one_kind(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            read_json(text)

    @pytest.mark.parametrize(
        ("text", "field"),
        [('{"a": [1]}', [1]), ('{"b": 1}', None), ("[]", None), ('"a"', None), ("7", None), ("{", None)],
    )
    def test_a_field_is_found_in_an_object_alone(self, text: str, field: object) -> None:
        assert json_field(text, "a") == field
