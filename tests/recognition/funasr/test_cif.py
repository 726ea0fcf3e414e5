from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recognition.funasr import cif


def weights(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


frame_weights = hnp.arrays(np.float32, st.integers(1, 40), elements=st.floats(0, 1, width=16))


class TestIntegrate:
    def test_a_token_fires_when_the_weights_reach_one(self) -> None:
        fired = cif.integrate(weights(0.4, 0.4, 0.4, 0.0)[None])

        assert fired.counts.tolist() == [1]
        np.testing.assert_allclose(fired.shares[0, 0], [0.4, 0.4, 0.2, 0], atol=1e-6)

    def test_the_rest_of_a_frame_begins_the_next_token(self) -> None:
        fired = cif.integrate(weights(0.4, 0.4, 0.4, 0.1)[None])

        np.testing.assert_allclose(fired.shares[0, 1], [0, 0, 0.2, 0.1], atol=1e-6)
        np.testing.assert_allclose(fired.left, [0.3], atol=1e-6)

    def test_silence_fires_nothing(self) -> None:
        fired = cif.integrate(np.zeros((2, 5), np.float32))

        assert fired.counts.tolist() == [0, 0]
        assert fired.shares.shape == (2, 1, 5)

    def test_rows_fire_on_their_own(self) -> None:
        fired = cif.integrate(np.stack([weights(1, 1, 1), weights(0.5, 0.2, 0.2)]))

        assert fired.counts.tolist() == [3, 0]
        np.testing.assert_allclose(fired.shares[1, 0], [0.5, 0.2, 0.2])

    @given(frame_weights)
    def test_every_token_weighs_one_and_nothing_is_lost(self, values: np.ndarray) -> None:
        fired = cif.integrate(values[None])

        count = fired.counts[0]
        np.testing.assert_allclose(fired.shares[0, :count].sum(1), np.ones(count), atol=1e-5)
        assert fired.shares[0].sum() == pytest.approx(float(values.sum()), abs=1e-3)
        assert fired.left[0] < 1

    @given(frame_weights, st.integers(1, 39))
    def test_a_stream_cut_anywhere_makes_the_same_tokens(self, values: np.ndarray, cut: int) -> None:
        whole = cif.integrate(values[None])

        first = cif.integrate(values[None, :cut])
        second = cif.integrate(np.append(first.left, values[cut:])[None].astype(np.float32))

        assert first.counts[0] + second.counts[0] == whole.counts[0]


class TestShareOut:
    def test_an_utterance_is_shared_out_as_a_stream_is(self) -> None:
        values = weights(0.3, 0.5, 0.7, 0.0, 0.9, 0.45)

        once = cif.share_out(values, count=2)

        np.testing.assert_allclose(once.shares, cif.integrate(values[None]).shares[0, :2], atol=1e-6)

    def test_a_token_that_does_not_fire_has_no_frames(self) -> None:
        for single_precision in (False, True):
            once = cif.share_out(weights(0.5, 0.5), count=2, single_precision=single_precision)

            np.testing.assert_allclose(once.shares, np.array([[0.5, 0.5], [0, 0]]))

    def test_a_token_lasts_as_long_as_its_frames(self) -> None:
        once = cif.share_out(weights(0, 0, 0.5, 0.5, 0, 0, 1, 0), count=2)

        np.testing.assert_allclose(once.bounds, [[2.2, 3.8], [6.1, 6.9]], atol=1e-3)

    @given(frame_weights)
    def test_tokens_do_not_overlap_in_time(self, values: np.ndarray) -> None:
        once = cif.share_out(values, count=int(values.sum()))

        edges = once.bounds.flatten()
        assert edges.tolist() == sorted(edges.tolist())
