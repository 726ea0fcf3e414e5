"""SenseVoice's pieces: what is a word, what a mark, what a tag."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.core.text import join
from recognition.funasr.rich_text import EMOTIONS, EVENTS, LANGUAGES, is_speech, tags, words
from recognition.interfaces import NO_TAGS, Tags, Token

PIECES = [
    "<|zh|>",
    "<|HAPPY|>",
    "<unk>",
    "▁",
    "▁the",
    "s",
    "我",
    "我们",
    "，",
    "。",
    "80",
    "%",
    "カ",
    "$",
    "?",
]


def said(*pieces: str) -> list[Token]:
    """Words of pieces that take 100 samples each."""
    return words(pieces, [(100 * number, 100 * number + 100) for number in range(len(pieces))], NO_TAGS)


def written(*pieces: str) -> str:
    found = said(*pieces)
    return join([token.text for token in found], [token.mark for token in found])


class TestTags:
    def test_language_emotion_and_event_are_told_in_plain_words(self) -> None:
        assert tags(["<|zh|>", "<|HAPPY|>", "<|Laughter|>", "<|withitn|>", "好"]) == Tags(
            "zh", "happy", "laughter"
        )

    def test_plain_speech_without_emotion_has_a_language_alone(self) -> None:
        assert tags(["<|en|>", "<|NEUTRAL|>", "<|Speech|>", "<|withitn|>"]) == Tags("en")
        assert tags(["<|en|>", "<|EMO_UNKNOWN|>", "<|Event_UNK|>"]) == Tags("en")

    def test_several_events_are_told_once_each_in_their_order(self) -> None:
        assert tags(["<|Applause|>", "<|BGM|>", "<|Applause|>"]).events == "applause music"

    def test_without_tags_nothing_is_known(self) -> None:
        assert tags(["好", "<unk>", "<zh>", "|zh|"]) == tags([]) == NO_TAGS

    def test_the_first_language_and_emotion_count(self) -> None:
        assert tags(["<|ja|>", "<|zh|>", "<|SAD|>", "<|ANGRY|>"]) == Tags("ja", "sad")

    @pytest.mark.parametrize("name", [*LANGUAGES, *EMOTIONS, *EVENTS])
    def test_every_name_is_known_for_one_thing_and_fits_its_column(self, name: str) -> None:
        found = tags([f"<|{name}|>"])
        assert [bool(found.language), bool(found.emotion), bool(found.events)].count(True) == 1
        assert len(found.language) <= 16 and len(found.emotion) <= 16

    def test_all_events_together_fit_their_column(self) -> None:
        assert len(tags([f"<|{name}|>" for name in EVENTS]).events) <= 120

    def test_nobody_speaks_where_the_language_says_so(self) -> None:
        assert not is_speech(["<|nospeech|>", "<|EMO_UNKNOWN|>", "<|Event_UNK|>"])
        assert is_speech(["<|zh|>", "好"])


class TestWords:
    def test_tags_are_no_words(self) -> None:
        assert written("<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|withitn|>", "你", "好") == "你好"

    def test_chinese_characters_are_words_each_with_its_mark(self) -> None:
        assert said("你", "好", "，", "我", "。") == [
            Token("你", 0, 100),
            Token("好", 100, 200, "，"),
            Token("我", 300, 400, "。"),
        ]

    def test_pieces_of_english_become_words(self) -> None:
        assert said("▁meet", "ing", "▁at") == [Token("meeting", 0, 200), Token("at", 200, 300)]

    @pytest.mark.parametrize(
        ("pieces", "text"),
        [
            (("▁Hello", ",", "▁world", "."), "Hello, world."),
            (("▁it", "'", "s", "▁a", "▁well", "-", "known", "▁AT", "&", "T"), "it's a well-known AT&T"),
            (("我们", "用", "▁GPU", "▁训练"), "我们用GPU训练"),
            (("完成", "了", "80", "%", "，", "好"), "完成了80%，好"),
            (("▁80", "%", "▁of", "▁it"), "80% of it"),
            (("▁paid", "▁$", "5", ".", "50", "."), "paid $5.50."),
            (("上午", "9", ":", "30", "，", "1", ",", "200", "人"), "上午9:30，1,200人"),
            (("▁at", "▁3", ".", "▁Then"), "at 3. Then"),
            (("“", "好", "”", "，", "他", "说"), "好，他说"),
            (("好", "！", "？"), "好！"),
            (("カ", "ラ", "オ", "ケ", "に", "行", "く", "。"), "カラオケに行く。"),
            (("▁안녕", "하세요", "▁여러분"), "안녕하세요 여러분"),
        ],
    )
    def test_a_line_is_written_as_people_write(self, pieces: tuple[str, ...], text: str) -> None:
        assert written(*pieces) == text

    def test_a_piece_of_several_characters_shares_its_time(self) -> None:
        assert said("▁", "我们") == [Token("我", 100, 150), Token("们", 150, 200)]

    def test_a_space_takes_no_time_from_its_word(self) -> None:
        assert said("▁ab") == [Token("ab", 0, 100)]

    def test_marks_before_any_word_and_unknown_pieces_are_left_out(self) -> None:
        assert said("，", "<unk>", "</s>", "。") == []

    def test_each_word_has_the_tags(self) -> None:
        known = Tags("zh", "happy")
        assert {token.tags for token in words(["你", "好"], [(0, 1), (1, 2)], known)} == {known}

    def test_pieces_without_times_are_refused(self) -> None:
        with pytest.raises(ValueError, match="zip"):
            words(["你", "好"], [(0, 1)], NO_TAGS)

    @given(st.lists(st.sampled_from(PIECES), max_size=20))
    def test_any_pieces_become_words_in_the_order_of_time(self, pieces: list[str]) -> None:
        found = said(*pieces)
        edges = [edge for token in found for edge in (token.start, token.end)]
        assert edges == sorted(edges)
        assert all(token.text and "▁" not in token.text and "<" not in token.text for token in found)
        assert all(len(token.mark) <= 1 for token in found)
