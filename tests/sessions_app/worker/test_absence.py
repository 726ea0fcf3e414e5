from __future__ import annotations

from sessions_app.worker.absence import Absence


def test_while_there_is_a_sender_it_is_not_waited_for() -> None:
    assert Absence(0.0).waited_s(0.0, now=100.0) == 0.0


def test_it_is_waited_for_from_when_the_worker_noticed() -> None:
    absence = Absence(0.0)
    absence.waited_s(1.0, now=100.0)
    assert absence.waited_s(31.0, now=130.0) == 30.0


def test_a_clock_that_jumps_ends_no_session() -> None:
    absence = Absence(0.0)
    assert absence.waited_s(3600.0, now=100.0) == 0.0
    assert absence.waited_s(3601.0, now=101.0) == 1.0
    assert absence.waited_s(0.0, now=102.0) == 0.0, "its process was heard of again"
    assert absence.waited_s(3603.0, now=103.0) == 0.0


def test_a_clock_that_jumps_back_only_makes_it_wait_longer() -> None:
    absence = Absence(0.0)
    absence.waited_s(5.0, now=100.0)
    assert absence.waited_s(1.0, now=130.0) == 1.0


def test_time_in_which_something_of_ours_kept_it_away_does_not_count() -> None:
    absence = Absence(0.0)
    absence.waited_s(1.0, now=100.0)
    absence.receive_hindrance(129.0)
    assert absence.waited_s(31.0, now=130.0) == 1.0


def test_a_worker_that_has_just_begun_gives_it_time() -> None:
    absence = Absence(99.0)
    assert absence.waited_s(1e6, now=100.0) <= 1.0
