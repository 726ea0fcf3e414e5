import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.core.text import edit_distance, error_rate, join, words_only


class TestJoin:
    def test_chinese_is_written_without_spaces(self) -> None:
        assert join(["你", "好"]) == "你好"

    def test_words_of_other_scripts_have_spaces_between_them(self) -> None:
        assert join(["hello", "world"]) == "hello world"

    def test_no_space_between_chinese_and_others(self) -> None:
        assert join(["用", "python", "三"]) == "用python三"

    def test_marks_follow_their_tokens(self) -> None:
        assert join(["你", "好", "吗"], ["", "，", "？"]) == "你好，吗？"

    def test_a_word_after_a_full_width_mark_needs_no_space(self) -> None:
        assert join(["ok", "go"], ["，", "。"]) == "ok，go。"

    def test_a_word_after_a_mark_of_its_own_script_has_a_space(self) -> None:
        assert join(["hello", "world", "it", "works"], [",", ".", "", "!"]) == "hello, world. it works!"

    def test_chinese_after_such_a_mark_has_none(self) -> None:
        assert join(["OK", "好", "的"], [",", "", "."]) == "OK,好的."

    def test_digits_and_accents_are_words_as_well(self) -> None:
        assert join(["在", "2026", "café", "见"]) == "在2026 café见"

    def test_signs_of_numbers_belong_to_their_number(self) -> None:
        assert join(["80%", "of", "it", "for", "$5"]) == "80% of it for $5"
        assert join(["完", "成", "80%", "的", "花", "¥5"]) == "完成80%的花¥5"

    def test_no_token_gives_no_text(self) -> None:
        assert join([]) == ""

    def test_an_empty_token_writes_nothing(self) -> None:
        assert join(["你", "", "好"]) == "你好"

    @given(st.lists(st.sampled_from(["你", "好", "hello", "ok", "三"]), max_size=8))
    def test_nothing_but_spaces_is_added(self, tokens: list[str]) -> None:
        assert join(tokens).replace(" ", "") == "".join(tokens)

    @given(
        st.lists(
            st.tuples(st.sampled_from(["你", "好", "go"]), st.sampled_from(["", "，", "。", ","])), max_size=8
        )
    )
    def test_with_marks_nothing_but_spaces_is_added(self, said: list[tuple[str, str]]) -> None:
        text = join([token for token, _ in said], [mark for _, mark in said])
        assert text.replace(" ", "") == "".join(token + mark for token, mark in said)
        assert text == text.strip()

    def test_wrong_number_of_marks_is_an_error_with_both_numbers(self) -> None:
        with pytest.raises(ValueError, match="1 marks for 2 tokens"):
            join(["你", "好"], ["。"])


class TestWordsOnly:
    def test_punctuation_is_left_out(self) -> None:
        assert words_only("你好，世界。") == ["你", "好", "世", "界"]

    def test_a_foreign_word_is_one_unit_in_lower_case(self) -> None:
        assert words_only("用Python写 don't") == ["用", "python", "写", "don't"]

    def test_full_width_letters_are_ordinary_letters(self) -> None:
        assert words_only("ＡＢ") == ["ab"]

    @pytest.mark.parametrize(
        ("text", "units"),
        [
            ("", []),
            ("，。？！", []),
            ("  ", []),
            ("'quoted'", ["quoted'"]),
            ("３个 Tokens", ["3", "个", "tokens"]),
            ("a-b", ["a", "b"]),
            ("ａｂｃ１２", ["abc12"]),
            ("café", ["café"]),
            ("𠮷野家", ["𠮷", "野", "家"]),
        ],
    )
    def test_what_counts_as_a_unit(self, text: str, units: list[str]) -> None:
        assert words_only(text) == units

    @given(st.text(max_size=30))
    def test_it_finds_the_same_in_what_it_found(self, text: str) -> None:
        units = words_only(text)
        assert words_only(" ".join(units)) == units


class TestErrorRate:
    def test_counts_each_kind_of_error(self) -> None:
        assert edit_distance("abc", "abd") == 1
        assert edit_distance("abc", "ab") == 1
        assert edit_distance("abc", "abxc") == 1

    def test_is_errors_over_reference_characters(self) -> None:
        assert error_rate([("你好世界", "你好世"), ("好", "坏")]) == pytest.approx(2 / 5)

    def test_may_exceed_one(self) -> None:
        assert error_rate([("好", "不好啊")]) == 2.0

    def test_nothing_to_count_against_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="no reference text"):
            error_rate([("，。", "你")])

    @given(st.text("abc", max_size=8), st.text("abc", max_size=8))
    def test_distance_is_a_metric(self, one: str, other: str) -> None:
        assert edit_distance(one, other) == edit_distance(other, one)
        assert (edit_distance(one, other) == 0) == (one == other)
        assert edit_distance(one, other) <= max(len(one), len(other))

    @given(st.text("ab", max_size=6), st.text("ab", max_size=6), st.text("ab", max_size=6))
    def test_a_detour_is_never_shorter(self, one: str, way: str, other: str) -> None:
        assert edit_distance(one, other) <= edit_distance(one, way) + edit_distance(way, other)

    @given(st.text("ab", max_size=8))
    def test_from_nothing_it_is_the_length(self, text: str) -> None:
        assert edit_distance("", text) == edit_distance(text, "") == len(text)

    def test_words_count_as_one_each(self) -> None:
        assert error_rate([("we use python", "we use pytorch")]) == pytest.approx(1 / 3)

    def test_what_was_heard_beside_empty_references_counts_as_well(self) -> None:
        assert error_rate([("你好", "你好"), ("", "嗯")]) == 0.5
