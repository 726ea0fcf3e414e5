"""Comparing arrays that may be missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def assert_close(
    found: np.ndarray | None,
    expected: np.ndarray | Sequence[float] | None,
    *,
    atol: float = 0.0,
    rtol: float = 1e-7,
) -> None:
    """Compare as NumPy does; what is not there is like nothing."""
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(found, np.asarray(expected), rtol=rtol, atol=atol)
