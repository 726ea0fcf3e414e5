"""Which cell a session prefers, in installations of up to a hundred cells."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.cells.placement import HOME, ranked

KEYS = [f"meeting-{number}" for number in range(20_000)]
HUNDRED = [HOME, *(f"cell-{number}" for number in range(1, 100))]


def firsts(cells: list[str]) -> dict[str, str]:
    return {key: ranked(key, cells)[0] for key in KEYS}


class TestAHundredCells:
    before = firsts(HUNDRED)

    def test_get_about_as_many_sessions_each(self) -> None:
        shares = Counter(self.before.values())

        assert len(shares) == 100
        assert max(shares.values()) < 1.4 * len(KEYS) / 100
        assert min(shares.values()) > 0.6 * len(KEYS) / 100

    def test_one_more_takes_its_share_and_moves_nothing_else(self) -> None:
        after = firsts([*HUNDRED, "new"])

        moved = {key for key in KEYS if after[key] != self.before[key]}
        assert {after[key] for key in moved} == {"new"}
        assert 0.6 * len(KEYS) / 101 < len(moved) < 1.4 * len(KEYS) / 101

    def test_one_less_leaves_its_share_to_all_others(self) -> None:
        after = firsts([cell for cell in HUNDRED if cell != "cell-50"])

        moved = [key for key in KEYS if after[key] != self.before[key]]
        assert {self.before[key] for key in moved} == {"cell-50"}
        assert len({after[key] for key in moved}) > 60

    def test_those_that_one_has_no_room_for_are_spread_as_well(self) -> None:
        seconds = Counter(ranked(key, HUNDRED)[1] for key, first in self.before.items() if first == "cell-7")

        assert len(seconds) > 60
        assert max(seconds.values()) < 12


@given(st.text(max_size=40), st.permutations(["a", "b", "c", "d"]))
def test_the_order_in_which_cells_are_named_does_not_matter(key: str, cells: list[str]) -> None:
    assert ranked(key, cells) == ranked(key, sorted(cells))
    assert sorted(ranked(key, cells)) == sorted(cells)


@given(st.text(max_size=40))
def test_two_cells_stand_to_each_other_as_if_alone(key: str) -> None:
    of_two = ranked(key, ["a", "b"])
    assert [cell for cell in ranked(key, ["a", "b", "c", "d"]) if cell in of_two] == of_two


@pytest.mark.parametrize("key", ["", "会议", "a\0b", "x" * 128])
def test_any_id_has_a_place(key: str) -> None:
    assert ranked(key, [HOME]) == [HOME]


def test_the_same_id_goes_to_the_same_cell_in_every_process() -> None:
    """Frozen: a release that ranked otherwise would disagree with processes of the one before."""
    assert ranked("meeting-1", ["home", "east", "west"]) == ["east", "home", "west"]
    assert ranked("会议", ["home", "east", "west"]) == ["home", "west", "east"]
