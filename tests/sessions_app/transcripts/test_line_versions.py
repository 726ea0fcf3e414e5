"""Versions of lines over time: what came and went together, and what a person took out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sessions_app.transcripts.line_versions import LineVersion, Removal, lines_to_flip, removal_by_hand

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def moment(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def version(
    line: int, minute: int, reason: str, *, removed: bool = False, first: bool = False
) -> LineVersion:
    return LineVersion(line, 100 * line + minute, moment(minute), "anna", reason, removed, first)


MERGED = [
    version(1, 0, "machine"),
    version(2, 0, "machine"),
    version(1, 1, "merge"),
    version(2, 1, "merge", removed=True),
]


class TestLinesToFlip:
    def test_a_merged_line_comes_back_with_a_version_from_before(self) -> None:
        assert lines_to_flip(1, moment(0), MERGED, {2: True}) == {2: False}

    def test_with_the_merged_version_it_stays(self) -> None:
        assert lines_to_flip(1, moment(1), MERGED, {2: True}) == {}

    def test_a_line_that_is_deleted_by_now_is_left_alone(self) -> None:
        assert lines_to_flip(1, moment(0), MERGED, {}) == {}

    def test_a_part_goes_with_a_version_from_before_it_was_cut_off(self) -> None:
        split = [version(1, 0, "machine"), version(3, 1, "split", first=True), version(1, 1, "split")]
        assert lines_to_flip(1, moment(0), split, {3: False}) == {3: True}

    def test_a_line_that_somebody_took_out_by_another_edit_stays_away(self) -> None:
        later = [
            version(1, 2, "restore"),
            version(2, 2, "restore"),
            version(2, 3, "remove", removed=True),
        ]
        assert lines_to_flip(1, moment(0), [*MERGED, *later], {2: True}) == {}

    def test_an_edit_of_many_lines_that_takes_none_away_flips_none(self) -> None:
        replaced = [
            version(1, 0, "machine"),
            version(2, 0, "machine"),
            version(1, 1, "replace"),
            version(2, 1, "replace"),
        ]
        assert lines_to_flip(1, moment(0), replaced, {2: False}) == {}


class TestRemovalByHand:
    REMOVED = (version(2, 0, "machine"), version(2, 1, "remove", removed=True))

    def test_names_the_version_that_brings_the_line_back(self) -> None:
        assert removal_by_hand(self.REMOVED) == Removal(moment(1), "anna", 200)

    def test_done_again_after_it_was_undone_is_still_one(self) -> None:
        again = [version(2, 2, "restore"), version(2, 3, "restore", removed=True)]
        assert removal_by_hand([*self.REMOVED, *again]) == Removal(moment(1), "anna", 202)

    @pytest.mark.parametrize(
        "history",
        [
            [version(2, 0, "machine"), version(2, 1, "merge", removed=True)],
            [version(2, 1, "split", first=True), version(2, 2, "restore", removed=True)],
            [],
        ],
    )
    def test_is_not_what_leaves_the_words_in_another_line(self, history: list[LineVersion]) -> None:
        assert removal_by_hand(history) is None
