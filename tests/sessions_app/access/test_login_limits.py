"""How long the next password has to wait, and whose address it comes from."""

from __future__ import annotations

import pytest

from sessions_app.access.login_limits import (
    ACCOUNT,
    ADDRESS,
    FORGET_S,
    PLACE,
    Failures,
    Limit,
    neighbourhood,
    wait_s,
)

NOW = 1_000_000.0
NONE = Failures()


def failures(count: int, *, ago_s: float = 0.0) -> Failures:
    return Failures(count, NOW - ago_s)


class TestFailures:
    def test_the_first_cost_nothing(self) -> None:
        assert failures(4).wait_s(Limit(5, 60), NOW) == 0

    @pytest.mark.parametrize(("count", "wait"), [(5, 1), (6, 2), (7, 4), (10, 32), (11, 60), (10_000, 60)])
    def test_each_further_one_costs_twice_as_much_up_to_a_limit(self, count: int, wait: float) -> None:
        assert failures(count).wait_s(Limit(5, 60), NOW) == wait

    def test_what_has_passed_need_not_be_waited(self) -> None:
        assert failures(8, ago_s=3).wait_s(Limit(5, 60), NOW) == 5
        assert failures(8, ago_s=8).wait_s(Limit(5, 60), NOW) == 0

    def test_after_an_hour_all_are_forgotten(self) -> None:
        old = failures(100, ago_s=FORGET_S)
        assert old.wait_s(Limit(5, 2 * FORGET_S), NOW) == 0
        assert old.after_another(NOW) == failures(1)

    def test_another_is_counted_and_can_be_taken_back(self) -> None:
        assert failures(3, ago_s=9).after_another(NOW) == failures(4)
        assert failures(4).without_one() == failures(3)
        assert NONE.without_one() == NONE


class TestWait:
    def test_mistakes_at_one_place_hold_up_this_place(self) -> None:
        assert wait_s(failures(PLACE.free), NONE, NONE, NOW, is_known=True) == 1

    def test_an_address_that_tries_many_accounts_waits(self) -> None:
        assert wait_s(failures(1), failures(ADDRESS.free + 3), NONE, NOW, is_known=False) == 8

    def test_an_account_that_is_tried_from_everywhere_waits_but_never_long(self) -> None:
        assert wait_s(NONE, NONE, failures(100_000), NOW, is_known=False) == ACCOUNT.max_wait_s == 30

    def test_its_owner_is_not_held_up_where_they_are_known(self) -> None:
        assert wait_s(NONE, failures(1000), failures(1000), NOW, is_known=True) == 0

    def test_the_longest_of_them_counts_in_whole_seconds(self) -> None:
        assert wait_s(failures(6, ago_s=0.5), failures(25), NONE, NOW, is_known=False) == 32
        assert wait_s(failures(6, ago_s=0.5), NONE, NONE, NOW, is_known=False) == 2


def test_one_customer_of_ipv6_is_one_address() -> None:
    assert neighbourhood("2001:db8:1:2:3:4:5:6") == neighbourhood("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert neighbourhood("2001:db8:1:3::") != neighbourhood("2001:db8:1:2::")
    assert neighbourhood("::ffff:203.0.113.9") == neighbourhood("203.0.113.9") == "203.0.113.9"
    assert neighbourhood("") == "unknown"
