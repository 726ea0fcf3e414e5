"""Python's garbage collector, in processes that serve for weeks."""

from __future__ import annotations

import gc


def freeze_heap() -> None:
    """Spare the collector what has been loaded: to look through it halts all sessions for 0.1 s.

    Call it when a process has started, and before it is forked: a collection would also write to, and so
    copy, what the processes share.
    """
    gc.collect()
    gc.freeze()
