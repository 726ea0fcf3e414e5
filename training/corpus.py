"""A corpus on disk: shards of log mel energies with what was said in which voice.

Shard k of a corpus follows from its seed alone and is made in a process of its own, so making can stop
anywhere and go on later, and two machines make the same corpus.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch

from recognition.audio import SAMPLE_RATE
from recognition.evaluation.scoring import plain
from recognition.funasr.features import recognizer_frames
from training import augmentation, synthesis
from training.text import MeetingText, WordStrings, vocabulary

UTTERANCES_PER_SHARD = 1500
MADE_VARIANTS = 200
"""As many as espeak-ng has room for beside its own, so shards take turns with several sets of them."""

VARIANT_SETS = 8
_VARIANT_SEED = 20_261_123
_MEETING_SHARE = 0.6
_MAX_S = 18.0


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said, by whom, and which rows of the shard's frames hold it."""

    text: str
    voice: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Log mel energies of many utterances, float16, shape (frames, 80), read from disk as needed."""

    frames: np.ndarray
    utterances: list[Utterance]

    def features(self, index: int) -> np.ndarray:
        """float32, shape (length, 80)."""
        utterance = self.utterances[index]
        return self.frames[utterance.start : utterance.start + utterance.length].astype(np.float32)


def read_shard(path: Path) -> Shard:
    rows = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return Shard(np.load(path, mmap_mode="r"), [Utterance(*row) for row in rows])


def write_shard(path: Path, frames: list[np.ndarray], labels: list[tuple[str, str]]) -> None:
    """Write both files; the shard exists, to other processes, only when it is whole."""
    starts = np.cumsum([0] + [len(f) for f in frames])
    rows = [
        (text, voice, int(start), len(f))
        for (text, voice), start, f in zip(labels, starts, frames, strict=False)
    ]
    path.with_suffix(".json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, np.concatenate(frames).astype(np.float16))
    partial.rename(path)


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:04d}.npy"


def shard_paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("shard-*.npy"))


def make_corpus(
    folder: Path, *, shards: int, seed: int = 1, utterances: int = UTTERANCES_PER_SHARD, processes: int = 1
) -> None:
    """Make those shards that are not there yet, `processes` at a time, and say how it goes."""
    missing = [number for number in range(shards) if not shard_path(folder, number).exists()]
    for number in {number % VARIANT_SETS for number in missing}:
        synthesis.join_data(*_made_variants(folder, number))
    with synthesis.fresh_processes(processes) as executor:
        making = [executor.submit(make_shard, folder, number, seed, utterances) for number in missing]
        for done, made in enumerate(as_completed(making), start=1):
            print(f"{made.result():.2f} h of speech, shard {done} of {len(missing)}", flush=True)


def _made_variants(folder: Path, number: int) -> tuple[Path, Path]:
    """Where the variants of a shard lie, and espeak-ng's data with them."""
    variants = folder / f"variants-{number % VARIANT_SETS}"
    synthesis.write_variants(variants, MADE_VARIANTS, _VARIANT_SEED + number % VARIANT_SETS)
    return variants, folder / f"espeak-{number % VARIANT_SETS}"


def make_shard(folder: Path, number: int, seed: int, utterances: int = UTTERANCES_PER_SHARD) -> float:
    """Speak, colour and write one shard; run it in a fresh process. Returns its hours of speech."""
    torch.set_num_threads(1)
    rng = Random(f"{seed} {number}")
    noise = np.random.default_rng([seed, number])
    variants, data = _made_variants(folder, number)
    made = sorted(path.name for path in variants.iterdir())
    speaker = synthesis.Synthesizer(variants, data)
    frames, labels = [], []
    recent: list[np.ndarray] = []
    for text in texts(rng):
        voice = synthesis.random_voice(rng, synthesis.TRAINING_VARIANTS if rng.random() < 0.4 else made)
        audio = speaker.speak(text, voice, synthesis.random_manner(rng))
        if not 0.2 * SAMPLE_RATE < len(audio) < _MAX_S * SAMPLE_RATE:
            continue
        audio = augmentation.padded(audio, noise.uniform(0, 0.6), noise.uniform(0, 0.6))
        recent = [*recent[-20:], audio]
        audio = augmentation.surroundings(audio, noise, recent)
        frames.append(recognizer_frames(torch.from_numpy(audio)[None])[0].numpy())
        labels.append((plain(text), voice.variant))
        if len(frames) == utterances:
            break
    write_shard(shard_path(folder, number), frames, labels)
    return sum(map(len, frames)) / 360_000


def texts(rng: Random) -> Iterator[str]:
    """What the voices of training say, with marks, without end."""
    meeting = MeetingText(rng)
    words = WordStrings(rng, set(vocabulary()))
    while True:
        yield meeting.turn() if rng.random() < _MEETING_SHARE else words.string() + "。"
