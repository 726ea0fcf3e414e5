"""What the commands of the benchmarks take."""

from __future__ import annotations

import argparse
from collections.abc import Collection


def add_names(parser: argparse.ArgumentParser, argument: str, known: Collection[str]) -> None:
    """Any of the known names, all by default: which `choices` do not allow where there may be none."""

    def check(name: str) -> str:
        if name not in known:
            raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(known)}")
        return name

    described = f"of {', '.join(known)}; all by default"
    parser.add_argument(argument, nargs="*", type=check, default=list(known), help=described)
