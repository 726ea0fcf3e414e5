"""Error rates mean what they say."""

import numpy as np
import pytest

from recognition.evaluation import scoring


class TestCharacterError:
    def test_marks_and_spaces_do_not_count(self) -> None:
        assert scoring.character_error_rate([("好的，开始吧。", "好的 开始吧")]) == 0.0

    def test_errors_are_counted_over_all_characters_together(self) -> None:
        pairs = [("一二三四", "一二三四"), ("五六", "五七八")]

        assert scoring.character_error_rate(pairs) == pytest.approx(2 / 6)

    def test_more_errors_than_characters_exceed_one(self) -> None:
        assert scoring.character_error_rate([("一", "二三四")]) == 3.0

    def test_nothing_to_compare_with_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="no reference characters"):
            scoring.character_error_rate([("。", "好")])


class TestEqualError:
    def test_scores_that_part_cleanly_have_no_errors(self) -> None:
        rate, threshold = scoring.equal_error_rate(np.array([0.8, 0.9]), np.array([0.1, 0.2, 0.3]))

        assert rate == 0.0
        assert 0.3 < threshold <= 0.8

    def test_scores_that_mean_nothing_err_half_of_the_time(self) -> None:
        rng = np.random.default_rng(0)

        rate, _ = scoring.equal_error_rate(rng.normal(size=5000), rng.normal(size=5000))

        assert rate == pytest.approx(0.5, abs=0.02)

    def test_a_tenth_on_the_wrong_side_is_a_rate_of_a_tenth(self) -> None:
        same = np.array([0.9] * 9 + [0.1])
        different = np.array([0.2] * 9 + [0.8])

        rate, threshold = scoring.equal_error_rate(same, different)

        assert rate == pytest.approx(0.1)
        assert 0.2 < threshold <= 0.9

    def test_the_threshold_for_false_accepts_lets_so_many_through(self) -> None:
        different = np.linspace(0, 1, 1001)

        assert scoring.threshold_at(different, 0.01) == pytest.approx(0.99, abs=1e-3)


class TestMark:
    def test_all_right_is_one_and_all_wrong_is_zero(self) -> None:
        row = ["", "，", "", "。"]

        assert scoring.mark_f1([(row, row)], "，。？") == 1.0
        assert scoring.mark_f1([(row, ["，", "", "。", ""])], "，。？") == 0.0

    def test_a_mark_of_the_wrong_kind_is_a_miss_and_a_false_one(self) -> None:
        assert scoring.mark_f1([(["，", "。"], ["，", "？"])], "，。？") == 0.5

    def test_only_the_marks_asked_for_count(self) -> None:
        assert scoring.mark_f1([(["，", "。"], ["", "。"])], "。") == 1.0
