from __future__ import annotations

from audit.coalescing import Coalescing


def test_what_happens_again_soon_is_not_told_again() -> None:
    recent = Coalescing()
    assert recent.happen("a", now=0.0, interval_s=10.0) == 0
    assert recent.happen("a", now=9.9, interval_s=10.0) is None
    assert recent.happen("b", now=9.9, interval_s=10.0) == 0


def test_what_is_told_next_says_how_often_it_was_not() -> None:
    recent = Coalescing()
    for now in (0.0, 1.0, 2.0):
        recent.happen("a", now, interval_s=10.0)
    assert recent.happen("a", now=10.0, interval_s=10.0) == 2
    assert recent.happen("a", now=20.0, interval_s=10.0) == 0


def test_memory_is_bounded_and_what_is_forgotten_is_told_once_more() -> None:
    recent = Coalescing(max_known=2)
    for what in ("a", "b", "c"):
        assert recent.happen(what, now=0.0, interval_s=10.0) == 0
    assert recent.happen("c", now=1.0, interval_s=10.0) is None
    assert recent.happen("a", now=1.0, interval_s=10.0) == 0


def test_what_was_not_told_after_all_is_told_when_it_happens_next() -> None:
    recent = Coalescing()
    recent.happen("a", now=0.0, interval_s=10.0)
    recent.forget("a")
    recent.forget("never seen")
    assert recent.happen("a", now=1.0, interval_s=10.0) == 0
