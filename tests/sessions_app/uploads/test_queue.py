"""Whose file is next, when one is given up, and when its meeting was."""

from __future__ import annotations

import datetime as dt

import pytest

from recognition.audio import samples
from sessions_app.uploads import queue
from sessions_app.uploads.queue import Waiting

NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def waiting(*senders: str) -> list[Waiting]:
    return [Waiting(pk, sender) for pk, sender in enumerate(senders)]


class TestInTurn:
    def test_the_files_of_one_sender_go_as_they_came(self) -> None:
        assert queue.in_turn(waiting("a", "a", "a"), []) == [0, 1, 2]

    def test_nobody_waits_behind_all_files_of_another(self) -> None:
        assert queue.in_turn(waiting("a", "a", "a", "b"), []) == [0, 3, 1, 2]

    def test_who_has_one_at_work_lets_others_go_first(self) -> None:
        assert queue.in_turn(waiting("a", "b"), ["a"]) == [1, 0]

    def test_and_waits_no_longer_than_it_takes_them(self) -> None:
        assert queue.in_turn(waiting("a", "b", "b", "b"), ["a"]) == [1, 0, 2, 3]

    def test_nothing_waits(self) -> None:
        assert queue.in_turn([], ["a"]) == []


class TestAttempts:
    def test_a_file_that_gets_further_is_never_given_up(self) -> None:
        attempts = 0
        for _ in range(1000):
            attempts = queue.attempts_after(attempts, got_further=True)
            assert not queue.is_given_up(attempts)

    def test_one_that_ends_its_workers_is(self) -> None:
        attempts = 0
        for _ in range(queue.MAX_ATTEMPTS):
            attempts = queue.attempts_after(attempts, got_further=False)
            assert not queue.is_given_up(attempts)
        assert queue.is_given_up(queue.attempts_after(attempts, got_further=False))

    def test_it_waits_longer_each_time_but_never_for_long(self) -> None:
        waits = [queue.retry_s(attempts) for attempts in range(1, 12)]
        assert waits == sorted(waits)
        assert waits[0] == 2.0
        assert waits[-1] == 60.0


class TestBegunAt:
    def test_the_file_itself_knows_best(self) -> None:
        assert queue.begun_at(NOW - 3 * HOUR, NOW - HOUR, samples(60), NOW) == NOW - 3 * HOUR

    def test_a_file_was_last_written_when_the_recording_ended(self) -> None:
        assert queue.begun_at(None, NOW - HOUR, samples(1800), NOW) == NOW - 1.5 * HOUR

    @pytest.mark.parametrize("year", [1904, 1970, 1980])
    def test_a_clock_that_was_never_set_is_not_believed(self, year: int) -> None:
        never = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
        assert queue.begun_at(never, never, 0, NOW) is None
        assert queue.begun_at(never, NOW - HOUR, 0, NOW) == NOW - HOUR

    def test_nobody_has_recorded_tomorrow(self) -> None:
        assert queue.begun_at(NOW + HOUR, NOW + HOUR, 0, NOW) is None

    def test_nothing_is_known(self) -> None:
        assert queue.begun_at(None, None, samples(60), NOW) is None


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-30T09:00:00.000000Z", 9),
        ("2026-11-30T09:00:00+08:00", 1),
        ("2026-11-30 09:00:00", 9),
    ],
)
def test_dates_in_files_are_read_in_their_zone(text: str, hour: int) -> None:
    read = queue.parse_date(text)
    assert read
    assert read.astimezone(dt.UTC).hour == hour


@pytest.mark.parametrize("text", ["", None, "gestern", "0000-00-00", "2026:11:30"])
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert queue.parse_date(text) is None


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("周会.mp3", "周会"),
        ("2026.11.30 周会.m4a", "2026.11.30 周会"),
        ("周会", "周会"),
        (".hidden", ".hidden"),
        ("v1.0 release", "v1.0 release"),
        ("  .wav", "  .wav"),
    ],
)
def test_a_meeting_is_called_like_its_file_without_the_ending(name: str, title: str) -> None:
    assert queue.title_of(name) == title


def test_the_disk_keeps_room_for_meetings() -> None:
    assert queue.fits(100, free=queue.FREE_BYTES + 100, coming=0)
    assert not queue.fits(101, free=queue.FREE_BYTES + 100, coming=0)
    assert not queue.fits(100, free=queue.FREE_BYTES + 100, coming=1)
