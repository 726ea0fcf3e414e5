"""What the commands of the benchmarks take."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection


def one_of(names: Collection[str]) -> Callable[[str], str]:
    """A type for `add_argument(nargs="*")`, which cannot be left empty with `choices`."""

    def check(name: str) -> str:
        if name not in names:
            raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(names)}")
        return name

    return check
