"""The bar of work that takes long."""

from __future__ import annotations

import pytest

from recognition.progress import LENGTH, bar


@pytest.mark.parametrize(("done", "filled"), [(0, 0), (1, 10), (2, 20), (3, LENGTH)])
def test_it_is_filled_by_the_share_that_is_done(done: int, filled: int) -> None:
    assert bar(done, 3) == f"[{'=' * filled}{' ' * (LENGTH - filled)}]"


def test_it_is_full_only_at_the_end() -> None:
    assert bar(999, 1000).count("=") == LENGTH - 1


def test_a_file_without_bytes_has_one_as_well() -> None:
    assert bar(0, 0) == f"[{' ' * LENGTH}]"
