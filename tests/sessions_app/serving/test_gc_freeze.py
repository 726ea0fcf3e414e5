"""The garbage collector of a process that has started: in one of its own, not in that of the tests."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc
from sessions_app.serving.gc_freeze import freeze_heap

class Thing:
    pass

loaded = [[] for _ in range(100_000)]
freeze_heap()
print(len(gc.get_objects()))

gc.disable()  # until it is asked
for _ in range(1000):
    thing = Thing()
    thing.itself = thing
del thing
print(gc.collect())
"""


def test_what_has_been_loaded_is_not_looked_through_again_and_what_comes_later_is() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    looked_through, freed = map(int, done.stdout.split())
    assert looked_through < 100
    assert freed >= 1000
