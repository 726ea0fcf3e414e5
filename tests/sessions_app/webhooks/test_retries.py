"""Retries of webhooks: meanings of answers, and delays that grow."""

from __future__ import annotations

import pytest

from sessions_app.webhooks.retries import GIVE_UP_S, Outcome, delay_s, outcome


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        (200, Outcome.DELIVERED), (202, Outcome.DELIVERED), (204, Outcome.DELIVERED),
        (299, Outcome.DELIVERED),
        (301, Outcome.REFUSED), (307, Outcome.REFUSED), (400, Outcome.REFUSED), (401, Outcome.REFUSED),
        (410, Outcome.REFUSED), (500, Outcome.REFUSED), (100, Outcome.REFUSED),
        (None, Outcome.AWAY), (408, Outcome.AWAY), (429, Outcome.AWAY), (502, Outcome.AWAY),
        (503, Outcome.AWAY), (504, Outcome.AWAY),
    ],
)  # fmt: skip
def test_an_answer_means(status: int | None, meant: Outcome) -> None:
    assert outcome(status) is meant


def test_delays_grow_to_an_hour() -> None:
    delays = [delay_s(attempt) for attempt in range(1, 30)]
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (5.0, 3600.0)
    assert delay_s(0) == delays[0]


def test_it_goes_on_for_more_than_a_day() -> None:
    spent, attempts = 0.0, 0
    while spent < GIVE_UP_S:
        attempts += 1
        spent += delay_s(attempts)
    assert spent > 24 * 3600
    assert 20 < attempts < 100
