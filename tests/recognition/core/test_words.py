"""Which characters belong together, by jieba's dictionary."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir

import pytest

from recognition.core.words import load, log_probability, word_ends, words


class TestWords:
    def test_characters_are_joined_as_the_dictionary_has_them(self) -> None:
        assert words(list("黑衣人走进会议室")) == [("黑衣人", 3), ("走进", 2), ("会议室", 3)]

    def test_words_of_other_scripts_stand_for_themselves_and_part_what_is_around_them(self) -> None:
        assert words(["我", "们", "用", "funasr", "识", "别"]) == [
            ("我们", 2),
            ("用", 1),
            ("funasr", 1),
            ("识别", 2),
        ]

    def test_a_token_of_several_characters_is_never_split(self) -> None:
        assert words(["我们", "的"]) == [("我们", 1), ("的", 1)]

    def test_another_way_to_split_may_be_given(self) -> None:
        assert words(list("甲乙丙"), list) == [("甲", 1), ("乙", 1), ("丙", 1)]

    def test_nothing_has_no_words(self) -> None:
        assert words([]) == []


class TestWordEnds:
    def test_each_word_ends_with_its_last_token(self) -> None:
        assert word_ends(list("留下印象")) == [False, True, False, True]

    def test_empty(self) -> None:
        assert word_ends([]) == []


class TestLogProbability:
    @pytest.mark.parametrize(
        ("usual", "unusual"),
        [("留下印象", "留下影像"), ("我们开会", "我们凯会"), ("预算", "玉酸"), ("funasr识别", "funasr石别")],
    )
    def test_words_are_likelier_than_characters_of_the_same_sound(self, usual: str, unusual: str) -> None:
        assert log_probability(list(usual)) > log_probability(list(unusual)) + 1

    def test_is_that_of_all_words_together(self) -> None:
        parts = log_probability(list("会议")) + log_probability(list("预算"))
        assert log_probability(list("会议预算")) == pytest.approx(parts)

    def test_a_word_of_another_script_is_as_likely_as_a_rarer_one_however_long(self) -> None:
        assert log_probability(["ok"]) == log_probability(["recognition"])
        assert log_probability(list("会议")) > log_probability(["ok"]) > log_probability(list("玉酸"))

    def test_a_character_that_the_dictionary_lacks_is_the_least_likely(self) -> None:
        assert log_probability(["\u9fa5"]) <= log_probability(["的"]) - 10

    def test_nothing_is_certain(self) -> None:
        assert log_probability([]) == 0


def test_the_dictionary_leaves_nothing_in_the_folder_that_all_users_of_a_machine_share() -> None:
    cache = Path(gettempdir(), "jieba.cache")
    before = cache.stat().st_mtime_ns if cache.exists() else None
    load.cache_clear()
    load()
    assert (cache.stat().st_mtime_ns if cache.exists() else None) == before
