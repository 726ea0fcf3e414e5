import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.audio import AudioBuffer, milliseconds, samples, seconds


def counting(start: int, end: int) -> np.ndarray:
    return np.arange(start, end, dtype=np.float32)


def test_times_convert_both_ways() -> None:
    assert samples(1.5) == 24_000
    assert seconds(24_000) == 1.5
    assert milliseconds(24_008) == 1500


class TestAudioBuffer:
    def test_reads_by_position_in_the_stream(self) -> None:
        buffer = AudioBuffer(start=100)
        buffer.append(counting(100, 150))
        np.testing.assert_array_equal(buffer.read(120, 130), counting(120, 130))

    def test_what_it_returns_is_a_copy(self) -> None:
        buffer = AudioBuffer()
        buffer.append(counting(0, 10))
        buffer.read(0, 10)[:] = -1
        np.testing.assert_array_equal(buffer.read(0, 10), counting(0, 10))

    def test_forgotten_audio_is_an_error_with_both_ranges(self) -> None:
        buffer = AudioBuffer()
        buffer.append(counting(0, 10))
        buffer.forget(5)
        with pytest.raises(IndexError, match=r"\[4, 6\) is not within \[5, 10\)"):
            buffer.read(4, 6)

    def test_audio_to_come_is_an_error(self) -> None:
        with pytest.raises(IndexError):
            AudioBuffer().read(0, 1)

    def test_forgetting_never_reaches_beyond_the_end_or_back(self) -> None:
        buffer = AudioBuffer()
        buffer.append(counting(0, 10))
        buffer.forget(8)
        buffer.forget(3)
        assert buffer.start == 8
        buffer.forget(99)
        assert buffer.start == buffer.end == 10

    def test_memory_stays_small_over_hours(self) -> None:
        buffer = AudioBuffer()
        for _ in range(3600):
            buffer.append(np.zeros(16_000, np.float32))
            buffer.forget(buffer.end - 16_000)
        assert buffer._memory.nbytes <= 8 * 16_000 * 4

    @given(st.lists(st.tuples(st.integers(0, 40_000), st.floats(0, 1)), max_size=12))
    def test_equals_an_array_that_was_never_cut(self, steps: list[tuple[int, float]]) -> None:
        buffer, whole = AudioBuffer(), counting(0, 0)
        for length, kept in steps:
            audio = counting(len(whole), len(whole) + length)
            buffer.append(audio)
            whole = np.concatenate([whole, audio])
            buffer.forget(buffer.start + round((buffer.end - buffer.start) * kept))
            np.testing.assert_array_equal(buffer.read(buffer.start, buffer.end), whole[buffer.start :])

    def test_nothing_at_all_may_be_added_and_read(self) -> None:
        buffer = AudioBuffer(start=7)
        buffer.append(counting(0, 0))
        assert (buffer.start, buffer.end) == (7, 7)
        assert len(buffer.read(7, 7)) == 0

    def test_a_range_that_runs_backwards_is_an_error(self) -> None:
        buffer = AudioBuffer()
        buffer.append(counting(0, 10))
        with pytest.raises(IndexError, match=r"\[6, 5\) is not within \[0, 10\)"):
            buffer.read(6, 5)

    def test_audio_that_is_longer_than_its_memory_finds_room(self) -> None:
        buffer = AudioBuffer()
        buffer.append(counting(0, 10))
        buffer.append(counting(10, 100_000))
        np.testing.assert_array_equal(buffer.read(0, 100_000), counting(0, 100_000))

    def test_later_changes_of_what_was_added_do_not_reach_it(self) -> None:
        buffer, audio = AudioBuffer(), counting(0, 10)
        buffer.append(audio)
        audio[:] = -1
        np.testing.assert_array_equal(buffer.read(0, 10), counting(0, 10))

    def test_what_was_forgotten_stays_so_when_more_comes(self) -> None:
        buffer = AudioBuffer()
        buffer.append(counting(0, 16_000))
        buffer.forget(15_000)
        buffer.append(counting(16_000, 60_000))
        with pytest.raises(IndexError):
            buffer.read(14_999, 15_001)
        np.testing.assert_array_equal(buffer.read(15_000, 60_000), counting(15_000, 60_000))

    def test_adding_never_moves_more_than_it_must(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In an hour of frames of 0.2 s the memory is written about twice over, not once per frame."""
        buffer, moved = AudioBuffer(), 0
        make_room = buffer._make_room

        def counted(coming: int) -> None:
            nonlocal moved
            moved += buffer.end - buffer.start
            make_room(coming)

        monkeypatch.setattr(buffer, "_make_room", counted)
        for _ in range(5 * 3600):
            buffer.append(np.zeros(3200, np.float32))
            buffer.forget(buffer.end - 48_000)
        assert moved <= 2 * buffer.end


class TestTimes:
    @given(st.integers(0, 10**9))
    def test_samples_come_back_from_seconds(self, count: int) -> None:
        assert samples(seconds(count)) == count

    @given(st.integers(0, 10**9))
    def test_milliseconds_never_lie_behind_the_sample(self, count: int) -> None:
        assert milliseconds(count) * 16 <= count < (milliseconds(count) + 1) * 16

    @pytest.mark.parametrize(
        ("length_s", "count"), [(0, 0), (0.00003, 0), (0.00004, 1), (0.1, 1600), (1, 16_000)]
    )
    def test_a_part_of_a_sample_is_rounded(self, length_s: float, count: int) -> None:
        assert samples(length_s) == count
