"""What a recogniser costs: the same calls of every one, in a process of its own.

    python -m benchmarks.peers.libraries.NAME MODELS SPEECH.npy [--precision float32] [--texts]

Runs in the environment of the library that is measured, so it needs NumPy alone. Prints a row of JSON for
each thing that was measured; with `--texts` the tokens of some utterances instead.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

RATE = 16_000
CHUNK = 9_600
"""Samples of 600 ms, which every first pass takes at a time."""

WARM_UP = 6
"""Chunks that are not counted: buffers are taken, code is compiled."""

STREAMS = {1: 36, 4: 24, 8: 18}
"""Streams at once, and for how many seconds each speaks."""

LENGTHS = (2, 5, 10)
"""Of utterances for the second pass, in seconds."""

BATCHES = (1, 4)
UTTERANCES = 8


class Library(Protocol):
    """A recogniser with both passes, loaded."""

    def open(self, count: int) -> Callable[[Sequence[np.ndarray]], int]:
        """Begin so many streams.

        Returns:
            What takes the next chunk of each, float32, shape (9600,), and returns how many tokens were added.
        """
        ...

    def recognize(self, utterances: Sequence[np.ndarray]) -> list[list[str]]:
        """Return the tokens of whole utterances, float32, shape (samples,), which may be one batch."""
        ...


def run(load: Callable[[Path, str], Library]) -> None:
    """Measure a library as the arguments of this process say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--texts", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    library = load(options.models, options.precision)
    loaded = {"part": "loaded", "cpu_s": round(time.process_time(), 1), **memory()}
    speech = np.load(options.speech)
    if options.texts:
        texts = [library.recognize([each])[0] for each in utterances(speech, 5)]
        print(json.dumps({"part": "texts", "tokens": texts}))
        return
    for row in (loaded, *costs(library, speech)):
        print(json.dumps(row), flush=True)


def costs(library: Library, speech: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield what each pass costs, under all loads."""
    for count, length_s in STREAMS.items():
        yield {"part": "first pass", "streams": count, **first_pass(library, speech, count, length_s)}
    for length_s in LENGTHS:
        said = utterances(speech, length_s)
        for batch in BATCHES:
            yield {"part": "second pass", "seconds": length_s, "batch": batch} | second_pass(
                library, said, batch
            )


def first_pass(library: Library, speech: np.ndarray, count: int, length_s: float) -> dict[str, float]:
    """Let streams speak at once; return CPU ms and tokens per second of one of them."""
    said = [stream(speech, number, count, length_s) for number in range(count)]
    feed = library.open(count)
    chunks = int(length_s * RATE) // CHUNK
    tokens, started = 0, 0.0
    for number in range(chunks):
        if number == WARM_UP:
            tokens, started = 0, time.process_time()
        tokens += feed([audio[number * CHUNK : (number + 1) * CHUNK] for audio in said])
    return _rates(time.process_time() - started, tokens, count * (chunks - WARM_UP) * CHUNK)


def second_pass(library: Library, said: Sequence[np.ndarray], batch: int) -> dict[str, float]:
    """Recognise utterances in batches; return CPU ms and tokens per second of them."""
    library.recognize(said[:batch])
    started = time.process_time()
    found = [
        tokens for at in range(0, len(said), batch) for tokens in library.recognize(said[at : at + batch])
    ]
    spent = time.process_time() - started
    return _rates(spent, sum(map(len, found)), sum(map(len, said)))


def _rates(spent_s: float, tokens: int, samples: int) -> dict[str, float]:
    seconds = samples / RATE
    return {"cpu_ms_per_s": round(1e3 * spent_s / seconds, 1), "tokens_per_s": round(tokens / seconds, 2)}


def stream(speech: np.ndarray, number: int, count: int, length_s: float) -> np.ndarray:
    """Return one of several streams: the recording from another place each, without end."""
    turned = np.roll(speech, -(number * len(speech) // count))
    samples = int(length_s * RATE)
    return np.tile(turned, -(-samples // len(turned)))[:samples]


def utterances(speech: np.ndarray, length_s: float) -> list[np.ndarray]:
    """Return the loudest of the pieces of this length, in their order."""
    samples = int(length_s * RATE)
    places = np.linspace(0, len(speech) - samples, 4 * UTTERANCES).astype(int)
    loud = sorted(places, key=lambda at: float(np.square(speech[at : at + samples]).sum()))[-UTTERANCES:]
    return [np.ascontiguousarray(speech[at : at + samples]) for at in sorted(loud)]


def memory() -> dict[str, int]:
    """Return what this process holds, in MiB: all, and what is no file that is mapped."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    names = {"resident_mib": "VmRSS", "anonymous_mib": "RssAnon"}
    return {name: int(fields[field].split()[0]) // 1024 for name, field in names.items()}
