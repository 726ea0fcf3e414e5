"""Progress of work that takes long, in a line of text."""

from __future__ import annotations

LENGTH = 30


def bar(done: int, total: int) -> str:
    """Draw how much of the work is done."""
    filled = LENGTH * done // max(1, total)
    return f"[{'=' * filled}{' ' * (LENGTH - filled)}]"
