"""Hotwords are names and terms: what can be one, how much it counts, which come first."""

from __future__ import annotations

import math

import pytest

from recognition.hotwords import (
    MAX_HOTWORDS,
    Hotword,
    Hotwords,
    Refusal,
    normal,
    refusal,
    sensible_weight,
    together,
    units,
)


class TestWhatIsAHotword:
    @pytest.mark.parametrize(
        "text",
        [
            "王磊",
            "实时字幕",
            "Kubernetes",
            "new model",
            "K8s",
            "GPT-5",
            "O'Brien",
            "阿里云 OSS",
            "AI",
            "C/C++",
        ],
    )
    def test_names_and_terms_are(self, text: str) -> None:
        assert refusal(text) is None

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", Refusal.EMPTY),
            ("王", Refusal.SHORT),
            ("a", Refusal.SHORT),
            ("一" * 11, Refusal.LONG),
            ("a " * 11, Refusal.LONG),
            ("a" * 61, Refusal.LONG),
            ("王磊=>汪磊", Refusal.MARKS),
            ("你好，世界", Refusal.MARKS),
            ("。", Refusal.MARKS),
        ],
    )
    def test_sentences_characters_and_marks_are_not(self, text: str, why: Refusal) -> None:
        assert refusal(text) is why

    def test_the_same_word_is_kept_the_same_way(self) -> None:
        assert normal("  ＯＳＳ \t 阿里云\n") == "OSS 阿里云"
        assert refusal(normal(" \n")) is Refusal.EMPTY

    def test_characters_and_words_of_letters_are_said_one_after_the_other(self) -> None:
        assert units("阿里云OSS v2 O'Brien") == ["阿", "里", "云", "OSS", "v2", "O'Brien"]


class TestWeight:
    def test_more_weight_is_more_bonus_up_to_a_limit(self) -> None:
        bonuses = [Hotword("王磊", weight).bonus for weight in (1, 10, 20, 40, 100)]
        assert bonuses == [0.1, 1.0, 2.0, 4.0, 4.0]

    def test_a_weight_outside_is_moved_inside(self) -> None:
        assert [sensible_weight(weight) for weight in (-3, 0.5, 7, 1e9)] == [1, 1, 7, 100]
        assert sensible_weight(math.nan) == Hotword("王磊").weight
        assert sensible_weight(math.inf) == 100


class TestLists:
    def test_of_a_word_twice_the_first_counts(self) -> None:
        own, everybody = [Hotword("OSS", 50)], [Hotword("oss", 10), Hotword("王磊")]

        assert together(own, everybody) == (Hotword("OSS", 50), Hotword("王磊"))

    def test_no_more_are_taken_than_a_session_has(self) -> None:
        many = [Hotword(f"word {number}") for number in range(MAX_HOTWORDS)]

        found = together([Hotword("王磊")], many)

        assert len(found) == MAX_HOTWORDS
        assert found[0].text == "王磊"
        assert found[-1] == many[-2]

    def test_two_equal_lists_are_two_compiled_ones(self) -> None:
        one, other = (Hotwords((Hotword("王磊"),)) for _ in range(2))

        assert one != other
        assert one.texts == other.texts == {"王磊"}


class TestCapitals:
    def words(self) -> Hotwords:
        texts = ("Kubernetes", "Visual Studio Code", "Visual", "王磊", "docker", "GPT 4")
        return Hotwords(tuple(map(Hotword, texts)))

    def test_are_those_of_the_hotword(self) -> None:
        assert self.words().with_capitals(["用", "kubernetes", "吧"]) == ["用", "Kubernetes", "吧"]

    def test_of_several_words_are_of_all_of_them_together(self) -> None:
        said = ["visual", "studio", "code", "visual", "code", "studio"]
        assert self.words().with_capitals(said) == ["Visual", "Studio", "Code", "Visual", "code", "studio"]

    def test_that_were_heard_are_replaced(self) -> None:
        assert self.words().with_capitals(["KUBERNETES", "gpt", "4"]) == ["Kubernetes", "GPT", "4"]

    def test_of_other_words_stay(self) -> None:
        assert self.words().with_capitals(["Docker", "王", "磊", "studio"]) == [
            "Docker",
            "王",
            "磊",
            "studio",
        ]

    def test_without_hotwords_stay(self) -> None:
        assert Hotwords(()).with_capitals(["ok"]) == ["ok"]
