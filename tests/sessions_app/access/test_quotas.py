"""Quotas: what an account has no more of before it begins another session."""

from __future__ import annotations

import pytest

from sessions_app.access.quotas import MEGABYTE, Kind, Limits, Usage, exceeded, in_words

FULL = Usage(sessions=3, minutes=600.0, storage_bytes=10 * MEGABYTE)


def test_without_limits_nothing_is_too_much() -> None:
    assert exceeded(Limits(), Usage(10**6, 10.0**9, 10**15)) is None


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        (Limits(sessions=3), Kind.SESSIONS),
        (Limits(minutes=600), Kind.MINUTES),
        (Limits(storage_mb=10), Kind.STORAGE),
        (Limits(sessions=4, minutes=601, storage_mb=11), None),
        (Limits(sessions=4, minutes=1, storage_mb=1), Kind.MINUTES),
    ],
)
def test_who_has_reached_a_limit_begins_no_more(limits: Limits, kind: Kind | None) -> None:
    assert exceeded(limits, FULL) is kind


@pytest.mark.parametrize("kind", Kind)
def test_each_is_told_with_its_limit(kind: Kind) -> None:
    assert "7" in in_words(kind, Limits(sessions=7, minutes=7, storage_mb=7))
