"""Request bodies: how much of them is taken."""

from __future__ import annotations

import pytest

from sessions_app.serving.body_limits import BodyBudget, BodyMeter, BodyTooLarge, TooManyBodies


@pytest.fixture
def budget() -> BodyBudget:
    return BodyBudget(limit=100)


class TestAnnouncedLength:
    def test_a_length_up_to_the_limit_is_let_in(self, budget: BodyBudget) -> None:
        BodyMeter(60, budget).announce(60)
        assert budget.held == 60

    def test_a_larger_one_is_refused_before_anything_comes(self, budget: BodyBudget) -> None:
        with pytest.raises(BodyTooLarge):
            BodyMeter(60, budget).announce(61)
        assert budget.held == 0

    def test_what_comes_of_it_counts_once(self, budget: BodyBudget) -> None:
        meter = BodyMeter(60, budget)
        meter.announce(50)
        meter.receive(20)
        meter.receive(30)
        assert budget.held == 50

    def test_the_refusal_says_how_much_is_taken(self, budget: BodyBudget) -> None:
        with pytest.raises(BodyTooLarge, match="takes 3 MB at most"):
            BodyMeter(3 * 2**20, budget).announce(2**30)


class TestCounting:
    def test_a_body_without_a_length_is_counted_while_it_comes(self, budget: BodyBudget) -> None:
        meter = BodyMeter(60, budget)
        meter.receive(40)
        meter.receive(20)
        with pytest.raises(BodyTooLarge):
            meter.receive(1)
        assert budget.held == 60

    def test_more_than_was_announced_counts_as_well(self, budget: BodyBudget) -> None:
        meter = BodyMeter(60, budget)
        meter.announce(10)
        with pytest.raises(BodyTooLarge):
            meter.receive(61)


class TestAllBodiesTogether:
    def test_one_too_many_has_to_wait(self, budget: BodyBudget) -> None:
        meters = [BodyMeter(60, budget) for _ in range(2)]
        meters[0].announce(60)
        with pytest.raises(TooManyBodies):
            meters[1].announce(60)
        meters[0].release()
        meters[1].announce(60)

    def test_what_is_released_twice_is_given_back_once(self, budget: BodyBudget) -> None:
        meter = BodyMeter(60, budget)
        meter.announce(60)
        meter.release()
        meter.release()
        assert budget.held == 0
