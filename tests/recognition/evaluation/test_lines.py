"""Lines against what was said."""

from __future__ import annotations

import pytest

from recognition.evaluation.lines import ends_inside_words, laid_over, marks_f1, places_of_marks

SAID = "大家好，今天我们讨论预算，还有一个问题。谢谢。"


class TestPlaces:
    def test_are_behind_characters(self) -> None:
        assert places_of_marks("你好，吗？") == ("你好吗", {1, 2})

    def test_letters_and_a_mark_before_all_are_left_out(self) -> None:
        assert places_of_marks("，你 ok 好。") == ("你好", {1})


class TestMarks:
    def test_all_right(self) -> None:
        assert marks_f1(SAID, [SAID]) == 1

    def test_the_kind_does_not_matter(self) -> None:
        assert marks_f1(SAID, [SAID.replace("，", "。")]) == 1

    def test_errors_in_the_words_do_not_matter(self) -> None:
        assert marks_f1(SAID, ["大家好，今天我讨伦一下预算，还有一问题。谢谢。"]) == 1

    def test_one_that_is_missing_and_one_too_many_count_the_same(self) -> None:
        missing = marks_f1(SAID, ["大家好今天我们讨论预算，还有一个问题。谢谢。"])
        too_many = marks_f1(SAID, ["大家好，今天我们，讨论预算，还有一个问题。谢谢。"])
        assert missing == pytest.approx(4 / 5)
        assert too_many == pytest.approx(6 / 7)

    def test_the_ends_of_lines_do_not_count(self) -> None:
        assert marks_f1(SAID, ["大家好，今天我们。", "讨论预算，还有一个问题。", "谢谢。"]) == 1

    def test_without_a_mark_there_is_nothing_right(self) -> None:
        assert marks_f1(SAID, ["大家好今天我们讨论预算还有一个问题谢谢"]) == 0

    def test_nothing_written(self) -> None:
        assert marks_f1("你好", []) == 1
        assert marks_f1("你，好", []) == 0


class TestEnds:
    TEXTS = ("他留下深刻的印象", "会议室在楼上")

    def test_between_words_are_right(self) -> None:
        assert ends_inside_words(self.TEXTS, ["他留下深刻的", "印象会议室", "在楼上"]) == 0

    def test_inside_a_word_are_counted(self) -> None:
        assert ends_inside_words(self.TEXTS, ["他留下深刻的印", "象会议", "室在楼上"]) == 2

    def test_errors_in_the_words_do_not_matter(self) -> None:
        assert ends_inside_words(self.TEXTS, ["他刘下身刻的引", "向会议室在楼上"]) == 1

    def test_the_last_end_is_that_of_all(self) -> None:
        assert ends_inside_words(("会议室",), ["会议"]) == 0

    def test_no_lines(self) -> None:
        assert ends_inside_words(self.TEXTS, []) == 0


class TestLaidOver:
    @pytest.mark.parametrize(
        ("written", "said", "over"),
        [
            ("abc", "abc", [0, 1, 2]),
            ("axc", "abc", [0, 1, 2]),
            ("ac", "abc", [0, 2]),
            ("abxc", "abc", [0, 1, 1, 2]),
            ("", "abc", []),
        ],
    )
    def test_characters_find_theirs(self, written: str, said: str, over: list[int]) -> None:
        assert laid_over(written, said) == over
