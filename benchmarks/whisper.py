"""Whisper in 8 bits of our own against CTranslate2, on the same weights and the same audio.

    ASR_ASSETS=FOLDER python -m benchmarks.whisper [--models SET] [--utterances 20]

Both hear each utterance in turns within one process, in CPU time, for machines are shared: what counts is
the ratio. The steps are those of a line: encoding, the search for its text, when each token was said, and the
second decoding for its marks, which takes the text as its draft.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from recognition.audio import seconds
from recognition.evaluation import recordings
from recognition.interfaces import SessionContext
from recognition.model_sets.reading import read_model_set
from recognition.whisper.ctranslate2_network import CTranslate2Network
from recognition.whisper.features import FRAME_SHIFT
from recognition.whisper.int8 import network as own
from recognition.whisper.int8.network import OwnNetwork
from recognition.whisper.listening import Listener, Utterance
from recognition.whisper.marks import PROMPTS
from recognition.whisper.network import TOKENS, Network, Search
from recognition.whisper.vocabulary import CHINESE, Vocabulary

from . import results

ARMS = ("ours", "ctranslate2")
STEPS = ("encode", "text", "times", "marks")

T = TypeVar("T")


class Costs:
    """CPU time of each step of each arm."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    def of(self, name: str, step: Callable[[], T]) -> T:
        begun = time.process_time()
        result = step()
        self.spent[name] += time.process_time() - begun
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default="people", metavar="SET", help="a model set's name or file")
    parser.add_argument("--utterances", type=int, default=20)
    options = parser.parse_args()
    assets = os.environ.get("ASR_ASSETS")
    if not assets:
        sys.exit("Set ASR_ASSETS to a folder of recordings with a manifest.json.")
    if not own.is_supported():
        sys.exit("This CPU has no AVX512-VNNI: there are no products of our own.")
    torch.set_num_threads(1)
    directory = read_model_set(options.models).sources["offline"].directory(Path("var/models"))
    if directory is None:
        sys.exit(f"The second pass of {options.models} has no files.")
    entries = recordings.listed(Path(assets), under="speech/aishell3/")[: options.utterances]
    figures = measure(directory, [recordings.read(each.path) for each in entries])
    path = results.write("whisper", figures)
    for step in (*STEPS, "all"):
        ours, theirs = (figures[f"{step}_ms_{arm}"] for arm in ARMS)
        print(
            f"  {step:<8} {ours:6.1f} ms a second of audio, CTranslate2 {theirs:6.1f}: {theirs / ours:.2f} x"
        )
    print(f"whisper: {figures['speedup']} times as fast as CTranslate2 -> {path}")


def measure(directory: Path, utterances: Sequence[np.ndarray]) -> dict[str, float]:
    """Return milliseconds of CPU time a second of audio, by step and arm."""
    vocabulary = Vocabulary(directory / TOKENS)
    networks: dict[str, Network] = {
        "ours": OwnNetwork(directory),
        "ctranslate2": CTranslate2Network(directory),
    }
    listeners = {arm: Listener(network, vocabulary, [CHINESE]) for arm, network in networks.items()}
    for listener in listeners.values():
        _hear(listener, utterances[0], Costs(), "")  # compiles, and fills caches
    costs = Costs()
    for audio in utterances:
        for arm, listener in listeners.items():
            _hear(listener, audio, costs, arm)
    audio_s = sum(seconds(len(audio)) for audio in utterances)
    figures = {name: round(1000 * spent / audio_s, 2) for name, spent in costs.spent.items()}
    for arm in ARMS:
        figures[f"all_ms_{arm}"] = round(sum(figures[f"{step}_ms_{arm}"] for step in STEPS), 2)
    return figures | {"speedup": round(figures["all_ms_ctranslate2"] / figures["all_ms_ours"], 2)}


def _hear(listener: Listener, audio: np.ndarray, costs: Costs, arm: str) -> None:
    """Take the steps of one line, as `OfflineWhisper` does."""
    utterances, network = [Utterance(audio, SessionContext())], listener.network
    start = listener.starts[CHINESE]
    encoded = costs.of(f"encode_ms_{arm}", lambda: listener.encode(utterances))
    found = costs.of(f"text_ms_{arm}", lambda: listener.decode(encoded, CHINESE, utterances, Search(), start))
    frames = [len(audio) // FRAME_SHIFT]
    costs.of(f"times_ms_{arm}", lambda: network.align(encoded, start[:-1], found, frames))
    prompted = listener.vocabulary.prompted(CHINESE, PROMPTS[CHINESE])
    drafts = [listener.vocabulary.without_marks(hypothesis.ids) for hypothesis in found]
    marking = Search(beam=1, between=listener.vocabulary.marks)
    costs.of(
        f"marks_ms_{arm}",
        lambda: listener.decode(encoded, CHINESE, utterances, marking, prompted, drafts),
    )


if __name__ == "__main__":
    main()
