from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.core.endpointing import Endpointer, EndpointingOptions, SpeechEnd, SpeechStart

FRAME = 160  # 10 ms
MS = 16  # samples
FUNASR = EndpointingOptions(long_utterance_ms=10**6, longest_utterance_ms=60_000)


def frames(*runs: tuple[float, int]) -> np.ndarray:
    """Probabilities from (probability, milliseconds) runs."""
    return np.concatenate([np.full(ms // 10, p, np.float32) for p, ms in runs])


def boundaries(
    probabilities: np.ndarray, options: EndpointingOptions = FUNASR, *, end: bool = True
) -> list[SpeechStart | SpeechEnd]:
    endpointer = Endpointer(options, frame=FRAME)
    found = endpointer.receive(probabilities)
    return found + (endpointer.receive_end() if end else [])


class TestUtterances:
    def test_silence_has_none(self) -> None:
        assert boundaries(frames((0, 5000))) == []

    def test_a_click_is_no_speech(self) -> None:
        assert boundaries(frames((0, 1000), (1, 120), (0, 2000))) == []

    def test_starts_before_the_vote_and_ends_after_the_last_speech(self) -> None:
        start, end = boundaries(frames((0, 1000), (1, 1000), (0, 2000)), end=False)
        # Found at 1140 ms (150 ms of speech); a window and the pre-roll back.
        assert start == SpeechStart((1140 - 400) * MS)
        # The vote is silent from 2000 + 50 ms on; 100 ms of post-roll.
        assert end == SpeechEnd(2160 * MS)

    def test_a_short_pause_does_not_split(self) -> None:
        assert len(boundaries(frames((1, 1000), (0, 500), (1, 1000), (0, 1500)))) == 2

    def test_a_long_pause_does(self) -> None:
        found = boundaries(frames((1, 1000), (0, 900), (1, 1000), (0, 1500)))
        assert [type(b) for b in found] == [SpeechStart, SpeechEnd, SpeechStart, SpeechEnd]

    def test_the_next_utterance_never_reaches_into_the_last(self) -> None:
        options = replace(FUNASR, end_silence_ms=200, post_roll_ms=0, pre_roll_ms=2000)
        _, first_end, second_start, _ = boundaries(frames((1, 1000), (0, 300), (1, 500), (0, 500)), options)
        assert second_start.at >= first_end.at

    def test_the_end_of_the_stream_ends_an_open_utterance(self) -> None:
        assert boundaries(frames((0, 500), (1, 1000)))[-1] == SpeechEnd(1500 * MS)

    def test_speech_from_the_first_sample_starts_at_zero(self) -> None:
        assert boundaries(frames((1, 1000)))[0] == SpeechStart(0)

    def test_positions_count_from_where_the_stream_starts(self) -> None:
        endpointer = Endpointer(FUNASR, frame=FRAME, start=48_000)
        endpointer.receive(frames((1, 1000)))
        assert endpointer.position == 48_000 + 1000 * MS
        assert endpointer.horizon == 48_000


class TestLongUtterances:
    def test_a_pause_that_would_not_end_a_short_one_ends_a_long_one(self) -> None:
        options = EndpointingOptions(long_utterance_ms=5000, long_end_silence_ms=300)
        assert len(boundaries(frames((1, 4000), (0, 400), (1, 500)), options)) == 2
        assert len(boundaries(frames((1, 6000), (0, 400), (1, 500)), options)) == 4

    def test_is_cut_where_speech_was_least_probable_and_goes_on_at_once(self) -> None:
        options = EndpointingOptions(longest_utterance_ms=5000, cut_search_ms=3000)
        start, cut, onward, end = boundaries(frames((1, 3500), (0.6, 20), (1, 3000)), options)
        assert start == SpeechStart(0)
        assert cut == SpeechEnd(3510 * MS, cut_before=5010 * MS)
        assert onward == SpeechStart(3510 * MS)
        assert end == SpeechEnd(6520 * MS)

    def test_is_ended_at_its_last_speech_when_it_gets_too_long_in_a_pause(self) -> None:
        options = EndpointingOptions(longest_utterance_ms=5000)
        _, end, start, _ = boundaries(frames((1, 4700), (0, 500), (1, 1000)), options)
        assert end == SpeechEnd(4860 * MS)
        assert start.at >= end.at


class TestFlush:
    def flushed(self, probabilities: np.ndarray) -> list[SpeechStart | SpeechEnd]:
        endpointer = Endpointer(FUNASR, frame=FRAME)
        endpointer.receive(probabilities)
        return endpointer.receive_flush()

    def test_ends_the_open_utterance_where_it_is(self) -> None:
        assert self.flushed(frames((0, 1000), (1, 1000))) == [SpeechEnd(2000 * MS)]

    def test_without_speech_does_nothing(self) -> None:
        assert self.flushed(frames((1, 1000), (0, 2000))) == []

    def test_makes_an_utterance_of_speech_that_was_nearly_one(self) -> None:
        assert self.flushed(frames((0, 1000), (1, 80))) == [SpeechStart(680 * MS), SpeechEnd(1080 * MS)]

    def test_makes_none_of_a_click(self) -> None:
        assert self.flushed(frames((0, 1000), (1, 60))) == []

    def test_never_reaches_into_the_utterance_before(self) -> None:
        options = replace(FUNASR, end_silence_ms=200, post_roll_ms=0, pre_roll_ms=2000)
        endpointer = Endpointer(options, frame=FRAME)
        _, end = endpointer.receive(frames((1, 1000), (0, 300)))
        assert endpointer.receive(frames((1, 100))) == []
        assert endpointer.receive_flush()[0].at >= end.at


class TestHorizon:
    def test_follows_silence_at_a_distance(self) -> None:
        endpointer = Endpointer(FUNASR, frame=FRAME)
        endpointer.receive(frames((0, 5000)))
        assert endpointer.horizon == (5000 - 400) * MS

    def test_stands_at_the_start_of_an_open_utterance(self) -> None:
        endpointer = Endpointer(FUNASR, frame=FRAME)
        [start] = endpointer.receive(frames((0, 1000), (1, 3000)))
        assert endpointer.horizon == start.at

    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=30))
    def test_no_boundary_ever_lies_before_it(self, runs: list[tuple[bool, int]]) -> None:
        endpointer = Endpointer(EndpointingOptions(longest_utterance_ms=3000), frame=FRAME)
        for is_speech, length in runs:
            horizon = endpointer.horizon
            for boundary in endpointer.receive(np.full(length, is_speech, np.float32)):
                assert boundary.at >= horizon
            assert endpointer.horizon >= horizon


@pytest.mark.parametrize(
    "options",
    [
        FUNASR,
        EndpointingOptions(longest_utterance_ms=3000, cut_search_ms=1000),
        EndpointingOptions(longest_utterance_ms=1500, end_silence_ms=100, long_utterance_ms=700),
        EndpointingOptions(window_ms=100, speech_ms=50, silence_ms=100, longest_utterance_ms=2000),
    ],
)
@given(
    st.lists(st.tuples(st.sampled_from([0, 0.4, 0.5, 0.9, 1]), st.integers(1, 150)), max_size=40),
    st.integers(1, 50),
)
def test_how_the_stream_is_cut_into_calls_makes_no_difference(
    options: EndpointingOptions, runs: Any, step: int
) -> None:
    probabilities = np.concatenate([np.full(n, p, np.float32) for p, n in runs] or [np.zeros(0, np.float32)])
    endpointer = Endpointer(options, frame=FRAME)
    found = []
    for at in range(0, len(probabilities), step):
        found += endpointer.receive(probabilities[at : at + step])
        assert endpointer.position == min(at + step, len(probabilities)) * FRAME
    assert found + endpointer.receive_end() == boundaries(probabilities, options)


class TestAgainstFunasr:
    """FunASR's own state machine, fed the same frame decisions, finds the same segments."""

    @settings(max_examples=60)
    @given(
        st.lists(st.tuples(st.booleans(), st.integers(1, 150)), min_size=1, max_size=30), st.integers(0, 99)
    )
    def test_same_segments(self, runs: list[tuple[bool, int]], seed: int) -> None:
        decisions = np.concatenate([np.full(n, p, np.float32) for p, n in runs])
        flips = np.random.default_rng(seed).random(len(decisions)) < 0.1
        decisions[flips] = 1 - decisions[flips]

        assert _segments(decisions) == _funasr_segments(decisions)


def _segments(decisions: np.ndarray) -> list[list[int]]:
    found = boundaries(decisions, end=False)
    starts = [b.at // MS for b in found if isinstance(b, SpeechStart)]
    ends = [b.at // MS for b in found if isinstance(b, SpeechEnd)]
    return [[start, end] for start, end in zip(starts, ends, strict=False)]


def _funasr_segments(decisions: np.ndarray) -> list[list[int]]:
    torch = pytest.importorskip("torch")
    from recognition.funasr.loading import lean_import

    with lean_import():
        import funasr.models.fsmn_vad_streaming.encoder  # noqa: F401 - registers FSMN
        from funasr.models.fsmn_vad_streaming.model import FsmnVADStreaming

    class Decided(FsmnVADStreaming):  # type: ignore[misc]  # FunASR has no types
        """FunASR's detector with its network replaced by given decisions."""

        def ComputeScores(self, feats: Any, cache: Any = None) -> None:  # noqa: N802
            scores = torch.from_numpy(np.where(decisions > 0.5, 1e-6, 1 - 1e-6))[None, :, None]
            self.vad_opts.nn_eval_block_size = len(decisions)
            cache["stats"].frm_cnt += len(decisions)
            cache["stats"].scores = scores

    detector = Decided(
        encoder="FSMN",
        encoder_conf={
            "input_dim": 5, "input_affine_dim": 4, "fsmn_layers": 1, "linear_dim": 4, "proj_dim": 4,
            "lorder": 2, "rorder": 0, "lstride": 1, "rstride": 0, "output_affine_dim": 4, "output_dim": 3,
        },
    )  # fmt: skip
    cache: dict[str, Any] = {}
    detector.init_cache(cache, max_end_silence_time=800)
    waveform = torch.full((1, (len(decisions) - 1) * FRAME + 400), 0.1)
    found = detector.forward(torch.zeros(1, len(decisions), 5), waveform, cache=cache, is_final=False)
    segments = [segment for batch in found for segment in batch]
    return [segment for segment in segments if segment[1] != -1]
