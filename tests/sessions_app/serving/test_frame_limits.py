"""How many small frames are taken."""

from __future__ import annotations

import pytest

from sessions_app.serving.frame_limits import (
    CLOSE_OPCODE,
    MAX_CONTROL_AT_ONCE,
    SMALL_BYTES,
    FrameLimits,
    TokenBucket,
)

PING = 9


class TestTokenBucket:
    def test_so_many_at_once_need_not_wait(self) -> None:
        bucket = TokenBucket(per_s=2, at_once=5)
        assert [bucket.take(0.0) for _ in range(5)] == [0, 0, 0, 0, 0.5]

    def test_who_waits_as_told_is_admitted_at_the_pace(self) -> None:
        bucket = TokenBucket(per_s=2, at_once=1)
        now = 0.0
        for _ in range(10):
            now += bucket.take(now)
        assert now == pytest.approx(5.0)

    def test_a_long_silence_gives_no_more_than_the_first_burst(self) -> None:
        bucket = TokenBucket(per_s=2, at_once=3)
        assert [bucket.take(1e6) for _ in range(3)][-1] == 0.5


class TestFrameLimits:
    def test_audio_is_never_held_up(self) -> None:
        limits = FrameLimits()
        assert not any(limits.count_data(SMALL_BYTES, 0.0) for _ in range(100_000))

    def test_a_telephone_call_in_pieces_of_10_ms_is_not_held_up(self) -> None:
        limits = FrameLimits()
        assert not any(limits.count_data(80, at / 100) for at in range(60 * 100))

    def test_a_client_that_asks_every_second_whether_we_are_there_may_stay(self) -> None:
        limits = FrameLimits()
        assert all(limits.admits_control(PING, float(second)) for second in range(3600))

    def test_one_that_does_nothing_else_may_not(self) -> None:
        limits = FrameLimits()
        assert not all(limits.admits_control(PING, 0.0) for _ in range(MAX_CONTROL_AT_ONCE + 1))

    def test_a_close_is_heard_whatever_came_before(self) -> None:
        limits = FrameLimits()
        for _ in range(2 * MAX_CONTROL_AT_ONCE):
            limits.admits_control(PING, 0.0)
        assert limits.admits_control(CLOSE_OPCODE, 0.0)
