"""Choice among texts by how usual their words are."""

from __future__ import annotations

import pytest

from recognition.whisper.network import Hypothesis
from recognition.whisper.rescoring import WEIGHT, best

LIKELIEST = Hypothesis([1, 2, 3, 4], -0.20, 0.0)
SECOND = Hypothesis([1, 2, 5, 6], -0.25, 0.0)


def usualness(**of: float) -> dict[tuple[int, ...], float]:
    return {tuple(LIKELIEST.ids): of["likeliest"], tuple(SECOND.ids): of["second"]}


class TestBest:
    @pytest.mark.parametrize(
        ("likeliest", "second", "expected"),
        [
            (-20.0, -20.0, LIKELIEST),
            (-40.0, -20.0, SECOND),
            (-20.0, -40.0, LIKELIEST),
            (-20.0, -20.0 + 4 * 0.04 / WEIGHT, LIKELIEST),
            (-20.0, -20.0 + 4 * 0.06 / WEIGHT, SECOND),
        ],
        ids=["as usual", "unusual", "more usual", "a little less usual", "so unusual that it weighs more"],
    )
    def test_is_the_likeliest_unless_its_words_are_much_less_usual(
        self, likeliest: float, second: float, expected: Hypothesis
    ) -> None:
        of = usualness(likeliest=likeliest, second=second)
        assert best([LIKELIEST, SECOND], lambda each: of[tuple(each.ids)]) == expected

    def test_a_longer_text_is_not_less_usual_for_its_length(self) -> None:
        twice = Hypothesis(LIKELIEST.ids * 2, -0.20, 0.0)
        assert best([twice, SECOND], lambda each: -5.0 * len(each.ids)) == twice

    def test_a_text_without_tokens_is_compared_as_well(self) -> None:
        empty = Hypothesis([], -3.0, 0.0)
        assert best([LIKELIEST, empty], lambda each: -20.0 if each.ids else 0.0) == LIKELIEST

    def test_nobody_asks_for_the_words_of_the_only_text(self) -> None:
        assert best([LIKELIEST], lambda _: pytest.fail("asked")) == LIKELIEST
