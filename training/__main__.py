"""`python -m training`: makes the embedded models, step by step or all at once."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training import corpus, recogniser, sample_meeting

WORK = Path("var/training")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK, help="where corpora and checkpoints lie")
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="speak and store the corpus of the recogniser")
    data.add_argument("--shards", type=int, default=45, help="about 1.75 hours of speech each")
    data.add_argument("--seed", type=int, default=1)
    training = commands.add_parser("recogniser", help="train the recogniser, from its last checkpoint on")
    training.add_argument("--steps", type=int, default=60_000)
    training.add_argument("--seed", type=int, default=1)
    training.add_argument("--name", default="recogniser")
    commands.add_parser("sample", help="speak the sample meeting into sessions_app/sample")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.command == "data":
        corpus.make_corpus(options.work / "corpus", shards=options.shards, seed=options.seed)
    elif options.command == "recogniser":
        recipe = recogniser.Recipe(steps=options.steps, seed=options.seed)
        folder = options.work / options.name
        recogniser.train(folder, options.work / "corpus", recogniser.Shape(), recipe)
    elif options.command == "sample":
        sample_meeting.make()


if __name__ == "__main__":
    main()
