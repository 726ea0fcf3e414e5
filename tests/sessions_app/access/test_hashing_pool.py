"""Passwords are looked at few at a time."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sessions_app.access.hashing_pool import NICENESS, Busy, HashingPool


def test_the_result_and_the_error_come_back() -> None:
    pool = HashingPool(threads=1)
    assert pool.run(int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        pool.run(int, "seven")


def test_it_gives_way_to_all_other_threads() -> None:
    nice = HashingPool(threads=1).run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert nice == NICENESS
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < NICENESS


def test_no_more_run_than_it_has_threads_and_who_finds_too_many_waiting_is_refused() -> None:
    pool, may_end = HashingPool(threads=1, max_waiting=1), threading.Event()
    running: list[int] = []

    def work() -> int:
        running.append(1)
        may_end.wait(10)
        return running.pop()

    with ThreadPoolExecutor(2) as callers:
        first = [callers.submit(pool.run, work) for _ in range(2)]
        while pool._room._value or not running:
            time.sleep(0.01)
        with pytest.raises(Busy):
            pool.run(int, "7")
        assert running == [1]
        may_end.set()
        assert [each.result(10) for each in first] == [1, 1]
    assert pool.run(int, "7") == 7
