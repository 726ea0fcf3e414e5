"""Levels of channels: a line belongs to the channel that was the loudest while it was said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.wire.channel_levels import KEPT_BEFORE_MS, MAX_WINDOWS, WINDOW_MS, ChannelLevels
from sessions_app.wire.pcm import PcmFormat

RATE = 8_000
STEREO = PcmFormat("s16le", RATE, 2)


def frames(*levels: float, ms: int) -> bytes:
    """Audio of so long, one level for each channel."""
    one = np.rint(np.array(levels) * 32767).astype("<i2")
    return np.tile(one, (RATE * ms // 1000, 1)).tobytes()


DIALOGUE = frames(0.5, 0.1, ms=1000) + frames(0.01, 0.02, ms=1000) + frames(0.1, 0.5, ms=1000)


@pytest.fixture
def levels() -> ChannelLevels:
    found = ChannelLevels(STEREO)
    found.receive(DIALOGUE)
    return found


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "channel"),
    [(0, 1000, 0), (200, 600, 0), (1100, 1900, 1), (2000, 3000, 1), (500, 2200, 0), (800, 3000, 1)],
)
def test_a_line_came_by_the_louder_one(
    levels: ChannelLevels, start_ms: int, end_ms: int, channel: int
) -> None:
    assert levels.loudest(start_ms, end_ms) == channel


@pytest.mark.parametrize(("start_ms", "end_ms"), [(5000, 6000), (3000, 3000)])
def test_what_has_not_come_is_the_first_s(levels: ChannelLevels, start_ms: int, end_ms: int) -> None:
    assert levels.loudest(start_ms, end_ms) == 0


def test_a_moment_is_enough(levels: ChannelLevels) -> None:
    assert levels.loudest(2500, 2500) == 1


def test_silence_in_all_is_the_first_s() -> None:
    levels = ChannelLevels(STEREO)
    levels.receive(frames(0, 0, ms=1000))
    assert levels.loudest(0, 1000) == 0


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=30))
def test_pieces_may_end_anywhere(sizes: list[int]) -> None:
    whole, pieces = ChannelLevels(STEREO), ChannelLevels(STEREO)
    whole.receive(DIALOGUE)
    at = 0
    for size in [*sizes, len(DIALOGUE)]:
        pieces.receive(DIALOGUE[at : at + size])
        at += size
    for start_ms in range(0, 3000, 250):
        assert pieces.loudest(start_ms, start_ms + 250) == whole.loudest(start_ms, start_ms + 250)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_windows_do_not_drift_at_usual_rates(rate: int) -> None:
    assert rate * WINDOW_MS % 1000 == 0


def test_what_no_line_can_ask_for_is_forgotten() -> None:
    levels = ChannelLevels(PcmFormat("mulaw", RATE, 3))
    seconds = KEPT_BEFORE_MS // 1000
    levels.receive(bytes(3 * RATE * 2 * seconds))
    before = len(levels._windows)
    levels.forget_before(KEPT_BEFORE_MS + 10_000)
    assert len(levels._windows) == before - 10_000 // WINDOW_MS
    levels.forget_before(0)
    assert len(levels._windows) == before - 10_000 // WINDOW_MS


def test_places_stay_right_when_something_was_forgotten() -> None:
    levels = ChannelLevels(STEREO)
    levels.receive(frames(0.5, 0, ms=KEPT_BEFORE_MS) + DIALOGUE)
    levels.forget_before(KEPT_BEFORE_MS + 1_000)
    assert levels.loudest(KEPT_BEFORE_MS + 2_000, KEPT_BEFORE_MS + 3_000) == 1
    assert levels.loudest(KEPT_BEFORE_MS, KEPT_BEFORE_MS + 1_000) == 0


def test_hours_without_a_line_are_bounded() -> None:
    levels = ChannelLevels(PcmFormat("mulaw", RATE, 2))
    minute = bytes(2 * RATE * 60)
    for _ in range(MAX_WINDOWS * WINDOW_MS // 60_000 + 2):
        levels.receive(minute)
    assert len(levels._windows) == MAX_WINDOWS
