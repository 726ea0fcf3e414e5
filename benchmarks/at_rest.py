"""Encrypted recordings against plain ones: what writing, encoding, reading and finding cost, as ratios.

    python -m benchmarks.at_rest [--minutes 60] [--rounds 7]

Both are done in turns within one process, in CPU time; what counts is the median of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django
import numpy as np

SESSION = 1
PLAIN, SEALED = False, True

Step = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=60, help="length of the meeting")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "asrsite.settings", "ASR_DATA_DIR": folder}
        django.setup()
        print(json.dumps(measured(Path(folder), arguments.minutes, arguments.rounds), indent=1))


def measured(folder: Path, minutes: float, rounds: int) -> dict[str, dict[str, float]]:
    """Return the milliseconds of CPU of each step, plain, and how many times as much it is encrypted."""
    from recognition.audio import samples

    sound = noise(samples(60 * minutes))
    spent: dict[str, dict[bool, list[float]]] = {}
    for _ in range(rounds):
        for is_sealed in (PLAIN, SEALED):
            for name, ms in one_round(folder / str(is_sealed), sound, is_sealed=is_sealed).items():
                spent.setdefault(name, {PLAIN: [], SEALED: []})[is_sealed].append(ms)
    return {name: _summary(by_kind) for name, by_kind in spent.items()}


def one_round(folder: Path, sound: np.ndarray, *, is_sealed: bool) -> dict[str, float]:
    """Record a meeting and play it, and return the milliseconds of CPU that each step took."""
    from django.conf import settings

    from sessions_app.recordings import files

    settings.MEDIA_ROOT, settings.ENCRYPT_RECORDINGS = folder, is_sealed
    files.delete(SESSION)
    spent = {"record": _timed(lambda: _record(sound))}
    spent["jump, live"] = _timed(lambda: _jump(len(sound), 20)) / 20
    spent["encode"] = _timed(lambda: files.encode_flac(SESSION))
    spent["jump, ended"] = _timed(lambda: _jump(len(sound), 20)) / 20
    spent["hear all"] = _timed(lambda: sum(map(len, files.blocks(SESSION, 0, len(sound)))))
    assert files.length(SESSION) == len(sound)
    return spent


def _record(sound: np.ndarray) -> None:
    """Write as a live session does: by fifths of a second, with a sync every five seconds."""
    from recognition.audio import SAMPLE_RATE
    from sessions_app.recordings import files

    journal, step = files.Journal(SESSION), SAMPLE_RATE // 5
    for number, at in enumerate(range(0, len(sound), step), 1):
        journal.write(at, sound[at : at + step])
        if number % 25 == 0:
            journal.sync()
    journal.close()


def _jump(length: int, times: int) -> None:
    """Play ten seconds at places all over the meeting."""
    from recognition.audio import SAMPLE_RATE
    from sessions_app.recordings import files

    span = 10 * SAMPLE_RATE
    for number in range(times):
        at = (number * 7919 * SAMPLE_RATE) % max(1, length - span)
        files.length(SESSION)
        files.read(SESSION, at, at + span)


def noise(length: int) -> np.ndarray:
    """Return sound that a FLAC makes about half as long, like speech."""
    rng = np.random.default_rng(7)
    return (rng.normal(scale=0.01, size=length) * np.sin(np.arange(length) / 4000)).astype(np.float32)


def _timed(step: Step) -> float:
    begun = time.process_time()
    step()
    return (time.process_time() - begun) * 1000


def _summary(spent: dict[bool, list[float]]) -> dict[str, float]:
    ratios = [sealed / plain for plain, sealed in zip(spent[PLAIN], spent[SEALED], strict=True)]
    return {
        "plain_ms": round(statistics.median(spent[PLAIN]), 2),
        "encrypted_ms": round(statistics.median(spent[SEALED]), 2),
        "times": round(statistics.median(ratios), 2),
    }


if __name__ == "__main__":
    main()
