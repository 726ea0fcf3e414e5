"""The set `people` with its real weights, in a folder that stays from one run of the tests to the next.

    python -m tests.support.people

fetches what is missing of it, before all tests; without a network it says so, and some tests are left out.
"""

from __future__ import annotations

import numpy as np
import soundfile

from recognition.exceptions import ModelError
from recognition.model_sets.download import Progress, pull
from recognition.model_sets.fetching import Fetching
from recognition.model_sets.reading import read_model_set
from tests.support.server import ROOT

MODELS_DIR = ROOT / "var" / "models"


def why_missing() -> str:
    """Return why tests do without the set; empty if it is there."""
    missing = read_model_set("people").missing(MODELS_DIR)
    if not missing:
        return ""
    titles = ", ".join(source.title for source in missing)
    return f"{titles}, of the model set people, is not in {MODELS_DIR}; make test fetches it"


def spoken(seconds: float = 5.0) -> np.ndarray:
    """Return the beginning of the sample meeting: synthetic speech that is at hand everywhere."""
    audio, _ = soundfile.read(ROOT / "sessions_app" / "sample" / "meeting.flac", dtype="float32")
    beginning: np.ndarray = audio[: int(seconds * 16_000)]
    return beginning


def main() -> None:
    if why_missing():
        _say("Fetching the model set people, once ...")
        try:
            pull(read_model_set("people"), MODELS_DIR, report=_show, fetching=Fetching(tell=_say))
        except ModelError as error:
            _say(f"Tests that need the model set people are left out: {error}")


def _show(progress: Progress) -> None:
    if progress.done == progress.total:
        _say(f"{progress.source.title}: {progress.total / 1e6:.0f} MB")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a program, for the terminal of who runs the tests


if __name__ == "__main__":
    main()
