"""Ours beside others, one after the other on the same core, with the same recordings and the same weights.

    ASR_ASSETS=FOLDER python -m benchmarks.peers whisperlivekit [--streams 1 2 4]
    ASR_ASSETS=FOLDER python -m benchmarks.peers libraries [--rounds 3]

What a peer needs is installed into `var/peers`, once. Figures go to `benchmarks/results/peers.json` and into
docs/comparison.md. With others at work on the machine the delays are theirs as well; CPU times and error
rates hold.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import results

from . import page
from .interface import Peer
from .libraries import comparison
from .meeting import clips
from .ours import Ours
from .playing import measure
from .whisperlivekit import POLICIES, WhisperLiveKit

SERVERS: dict[str, list[Peer]] = {"whisperlivekit": [Ours(), *map(WhisperLiveKit, POLICIES)]}
"""Servers that are compared, ours first, by the name of the comparison."""

LIBRARIES = "libraries"
"""The comparison of recognisers without a server."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("comparison", choices=[*SERVERS, LIBRARIES])
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 2, 4], metavar="N", help="at once")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of libraries")
    arguments = parser.parse_args()
    assets = os.environ.get("ASR_ASSETS")
    if not assets:
        sys.exit("Set ASR_ASSETS to a folder of recordings with a manifest.json.")
    found: Any
    if arguments.comparison == LIBRARIES:
        found = comparison.compare(Path(assets), rounds=arguments.rounds)
        told = comparison.ratios(found)
    else:
        found = compare(SERVERS[arguments.comparison], Path(assets), arguments.streams)
        told = ratios(found)
    known = results.read("peers")
    comparisons = {**known.get("comparisons", {}), arguments.comparison: found}
    path = results.write("peers", {**known, **told, "comparisons": comparisons})
    page.update()
    print(f"peers: {told} -> {path}, {page.PAGE}")


def compare(peers: Sequence[Peer], assets: Path, streams: Sequence[int]) -> list[dict[str, Any]]:
    """Return the figures of all servers, those with as many streams one after the other."""
    said, runs = clips(assets), []
    for count in streams:
        for peer in peers:
            [found] = measure(peer, said, [count])
            runs.append({"peer": peer.name, "title": peer.title, **found})
            print(runs[-1], flush=True)
    return runs


def ratios(runs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return ours over the better of theirs, with the fewest streams."""
    least = min(run["streams"] for run in runs)
    ours, *theirs = [run for run in runs if run["streams"] == least]
    found = {}
    for name, figure in (("final_delay", "final_delay_p50_s"), ("cer", "cer")):
        best = min(run[figure] for run in theirs if run[figure] is not None)
        found[f"people_{name}_over_whisperlivekit"] = round(ours[figure] / best, 3)
    return found


if __name__ == "__main__":
    main()
