"""Numbers as people write them: sentences of ours as they are spoken, against those that a person writes.

    python -m benchmarks.itn [--show]

Sentences, by part, in `benchmarks/writing/sentences.tsv`. `idioms` has phrases with numbers that must stay;
those of `unseen` were written before they were tried, and nothing was changed for their sake. A sentence is
wrong if a single character of it is.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.results import write as write_results
from recognition.writing import writer
from recognition.writing.changes import write

SENTENCES = Path(__file__).parent / "writing" / "sentences.tsv"
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the test set."""

    part: str
    spoken: str
    expected: str


def sentences() -> list[Sentence]:
    """Read the test set."""
    rows = SENTENCES.read_text(encoding="utf-8").splitlines()
    return [Sentence(*row.split("\t")) for row in rows if row and not row.startswith("#")]


def written(spoken: str) -> str:
    """Return a sentence as the product writes it."""
    return write(spoken, (), writer.load().changes(spoken)).text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--show", action="store_true", help="print the sentences that are wrong")
    show = parser.parse_args().show
    said = sentences()
    written(said[0].spoken)  # loads
    wrong = [(sentence, got) for sentence in said if (got := written(sentence.spoken)) != sentence.expected]
    ms = min(mean(_milliseconds(sentence.spoken) for sentence in said) for _ in range(ROUNDS))
    by_part = Counter(sentence.part for sentence, _ in wrong)
    if show:
        for sentence, got in wrong:
            print(f"{sentence.part}: {sentence.spoken} -> {got} (a person: {sentence.expected})")
    figures = {
        "sentences": len(said),
        "sentences_wrong_share": round(len(wrong) / len(said), 4),
        "idioms": sum(sentence.part == "idioms" for sentence in said),
        "idioms_wrong": by_part["idioms"],
        "unseen": sum(sentence.part == "unseen" for sentence in said),
        "unseen_wrong": by_part["unseen"],
        "ms_a_line": round(ms, 2),
    }
    write_results("itn", figures)
    print(
        f"itn: {figures['sentences_wrong_share']:.1%} of {len(said)} sentences wrong, "
        f"{figures['idioms_wrong']} of {figures['idioms']} with idioms, {ms:.1f} ms a line"
    )


def _milliseconds(spoken: str) -> float:
    begun = time.process_time()
    written(spoken)
    return (time.process_time() - begun) * 1000


if __name__ == "__main__":
    main()
