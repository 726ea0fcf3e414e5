"""Trains the speaker embedding, a small time-delay network, on people and on made voices.

People come from recordings that are handed over (`recordings.py`); without any, the made voices alone still
give an embedding, but one that hardly knows people. Played faster or slower a recording is another
person's, which makes three of each. A crop of one or two seconds is all the network sees of an utterance,
in another room, noise and microphone each time: most people here were recorded once, and their channel
must not become their name.

Trained on from weights, the network comes to know these people by heart, and others less well. Exported is
therefore the mean of the weights at the start, half of the way and the end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import soxr
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from recognition.audio import SAMPLE_RATE
from recognition.evaluation import recordings
from recognition.funasr.features import MEL_BANDS, speaker_features
from recognition.funasr.xvector import TdnnXvector
from training import augmentation, synthesis
from training.loop import (
    AveragedWeights,
    Machine,
    Pace,
    Progress,
    Schedule,
    autocast,
    load_checkpoint,
    save_checkpoint,
)
from training.text import MeetingText

TEST_PEOPLE = "librispeech_test_other"
"""Part of the path of the recordings that are for measuring only."""

SPEEDS = (1.0, 0.9, 1.1)
_VARIANT_SEED = 20_261_124


@dataclass(frozen=True, slots=True)
class SpeakerShape:
    """Size of the network. The defaults are a million parameters."""

    embedding: int = 128
    channels: int = 192
    attention: int = 64


@dataclass(frozen=True, slots=True)
class SpeakerRecipe:
    steps: int = 2_000
    peak_rate: float = 2e-3
    warmup: int = 200
    cooling: float = 0.6
    margin: float = 0.2
    scale: float = 30.0
    audio_s: float = 110.0
    """Seconds of audio in a batch; its crops are the shorter the more there are."""

    shortest_s: float = 1.2
    longest_s: float = 2.4
    people_share: float = 0.92
    made_voices: int = 300
    seed: int = 1
    checkpoint_every: int = 100


def configuration(shape: SpeakerShape) -> dict[str, Any]:
    """FunASR's configuration, without paths."""
    return {
        "model": "TdnnXvector",
        "model_conf": {
            "feat_dim": MEL_BANDS,
            "channels": shape.channels,
            "embedding_size": shape.embedding,
            "attention": shape.attention,
        },
    }


def build(shape: SpeakerShape) -> TdnnXvector:
    return TdnnXvector(**configuration(shape)["model_conf"])


@dataclass(slots=True)
class VoiceBank:
    """What each voice said, int16 samples at 16 kHz; the number of people among the voices comes first."""

    voices: list[list[np.ndarray]] = field(default_factory=list)
    people: int = 0

    @property
    def classes(self) -> int:
        """People count once for each speed."""
        return self.people * len(SPEEDS) + len(self.voices) - self.people

    def draw(self, rng: np.random.Generator, people_share: float, samples: int) -> tuple[np.ndarray, int]:
        """A crop of a random voice, float32 in [-1, 1], shape (samples,), and the voice's class."""
        if self.people and rng.random() < people_share:
            voice, speed = int(rng.integers(self.people)), int(rng.integers(len(SPEEDS)))
            crop = self._crop(rng, voice, math.ceil(samples * SPEEDS[speed]) + 8)
            if SPEEDS[speed] != 1.0:
                crop = soxr.resample(crop, SPEEDS[speed], 1.0, quality="LQ")
            return crop[:samples], voice * len(SPEEDS) + speed
        voice = int(rng.integers(self.people, len(self.voices)))
        return self._crop(rng, voice, samples), self.people * len(SPEEDS) + voice - self.people

    def _crop(self, rng: np.random.Generator, voice: int, samples: int) -> np.ndarray:
        """As many recordings of the voice as it takes, from somewhere on."""
        pieces: list[np.ndarray] = []
        while sum(map(len, pieces)) < samples:
            pieces.append(self.voices[voice][int(rng.integers(len(self.voices[voice])))])
        joined = np.concatenate(pieces)
        start = int(rng.integers(len(joined) - samples + 1))
        return joined[start : start + samples].astype(np.float32) / 32768


def load_bank(folders: Sequence[Path], made: int, seed: int, work: Path) -> VoiceBank:
    """Everybody of `folders` but the test people, and `made` voices of espeak-ng."""
    people = _people(folders)
    return VoiceBank(people + synthesis.in_fresh_process(_made_voices, made, seed, work), len(people))


def _people(folders: Sequence[Path]) -> list[list[np.ndarray]]:
    voices = []
    for folder in folders:
        listed = [r for r in recordings.listed(folder) if TEST_PEOPLE not in str(r.path)]
        for paths in recordings.by_speaker(listed).values():
            voices.append([_int16(recordings.trimmed(recordings.read(path))) for path in paths])
    return voices


def _int16(audio: np.ndarray) -> np.ndarray:
    peak = float(np.abs(audio).max()) or 1.0
    return np.round(audio * min(1.0, 0.99 / peak) * 32767).astype(np.int16)


def _made_voices(count: int, seed: int, work: Path, utterances: int = 5) -> list[list[np.ndarray]]:
    rng = Random(f"voices {seed}")
    made = synthesis.write_variants(work / "variants", 200, _VARIANT_SEED)
    speaker = synthesis.Synthesizer(work / "variants", work / "espeak")
    text = MeetingText(rng)
    voices = []
    for number in range(count):
        variants = synthesis.TRAINING_VARIANTS if number % 3 == 0 else made
        voices.append(_spoken(speaker, synthesis.random_voice(rng, variants), text, rng, utterances))
    return voices


def unseen_made_voices(
    factors: Sequence[float] = (0.9, 1.0, 1.12), utterances: int = 8
) -> list[list[np.ndarray]]:
    """The held-out variants, each at three sizes: voices that no training has heard."""
    return synthesis.in_fresh_process(_unseen_made_voices, tuple(factors), utterances)


def _unseen_made_voices(factors: tuple[float, ...], utterances: int) -> list[list[np.ndarray]]:
    rng = Random("unseen voices")
    speaker = synthesis.Synthesizer()
    text = MeetingText(rng, held_out=True)
    return [
        _spoken(speaker, synthesis.Voice(variant, factor), text, rng, utterances)
        for variant in synthesis.HELD_OUT_VARIANTS
        for factor in factors
    ]


def _spoken(
    speaker: synthesis.Synthesizer, voice: synthesis.Voice, text: MeetingText, rng: Random, count: int
) -> list[np.ndarray]:
    """Utterances of at least a second and a half, without silence around them."""
    spoken: list[np.ndarray] = []
    while len(spoken) < count:
        audio = recordings.trimmed(speaker.speak(text.turn(), voice, synthesis.random_manner(rng)))
        if len(audio) > 1.5 * SAMPLE_RATE:
            spoken.append(_int16(audio))
    return spoken


def heard_elsewhere(
    crop: np.ndarray, rng: np.random.Generator, others: Sequence[np.ndarray], rooms: Sequence[np.ndarray]
) -> np.ndarray:
    """The crop in another room, noise and microphone, at another level."""
    if rng.random() < 0.15:
        measured = rooms and rng.random() < 0.3
        room = rooms[int(rng.integers(len(rooms)))] if measured else augmentation.room_response(rng)
        crop = augmentation.reverberate(crop, room)
    if rng.random() < 0.5:
        crop = augmentation.colour(crop, rng, deviation_db=4.0)
    if rng.random() < 0.3:
        kind = rng.random()
        if kind < 0.25:
            noise = augmentation.babble(len(crop), others, rng)
        elif kind < 0.35:
            noise = augmentation.clicks(len(crop), rng)
        else:
            noise = augmentation.coloured_noise(len(crop), rng)
        crop = augmentation.mix(crop, noise, rng.uniform(8, 30))
    if rng.random() < 0.02:
        crop = augmentation.narrow_band(crop, rng.uniform(50, 350), rng.uniform(3300, 7500))
    return augmentation.at_level(crop, rng.uniform(-38, -12))


class AngularMargin(nn.Module):
    """Classes as directions; the right one must be closer than the others by a margin.

    Source:
        Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019.
    """

    def __init__(self, dimension: int, classes: int, scale: float) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(classes, dimension) * 0.1)
        self.scale = scale

    def forward(self, embeddings: Tensor, labels: Tensor, margin: float) -> tuple[Tensor, Tensor]:
        """Loss, and the share of embeddings whose nearest direction is the right one."""
        cosine = functional.linear(functional.normalize(embeddings), functional.normalize(self.directions))
        accuracy = (cosine.argmax(1) == labels).float().mean()
        right = cosine.gather(1, labels[:, None]).clamp(-1 + 1e-6, 1 - 1e-6)
        moved = cosine.scatter(1, labels[:, None], torch.cos(torch.acos(right) + margin))
        return functional.cross_entropy(self.scale * moved, labels), accuracy


def train(
    folder: Path,
    shape: SpeakerShape,
    recipe: SpeakerRecipe,
    people: Sequence[Path] = (),
    rooms: Sequence[np.ndarray] = (),
    machine: Machine | None = None,
    start: Path | None = None,
) -> float:
    """Train to the end, from the last checkpoint on; returns the loss over the last steps.

    Args:
        people: Folders of recordings; see `recordings.listed`.
        rooms: Measured impulse responses to use beside made-up ones.
        start: A directory of an exported embedding of this shape to start from, if there is no checkpoint.
    """
    machine = machine or Machine()
    folder.mkdir(parents=True, exist_ok=True)
    bank = load_bank(people, recipe.made_voices, recipe.seed, folder)
    torch.manual_seed(recipe.seed)
    network = build(shape).to(machine.device)
    if start:
        network.load_state_dict(torch.load(start / "model.pt", weights_only=True))
    head = AngularMargin(shape.embedding, bank.classes, recipe.scale).to(machine.device)
    print(
        f"{sum(p.numel() for p in network.parameters()):,} parameters, "
        f"{bank.people} people and {len(bank.voices) - bank.people} made voices, {bank.classes} classes",
        flush=True,
    )
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.peak_rate, weight_decay=0.02, fused=True)
    average = AveragedWeights(network, 0.999)
    waypoints = [average.copy()] if start else []
    schedule = Schedule(recipe.steps, recipe.peak_rate, recipe.warmup, recipe.cooling)
    first = 0
    if state := load_checkpoint(folder / "checkpoint.pt"):
        first = state["step"]
        network.load_state_dict(state["network"])
        head.load_state_dict(state["head"])
        optimizer.load_state_dict(state["optimizer"])
        average.load(state["average"])
        waypoints = state["waypoints"]
    pace = Pace(recipe.steps, first, machine.minutes)

    def save(step: int) -> None:
        state = {
            "step": step,
            "shape": asdict(shape),
            "recipe": asdict(recipe),
            "people": bank.people,
            "network": network.state_dict(),
            "head": head.state_dict(),
            "optimizer": optimizer.state_dict(),
            "average": average.state,
            "waypoints": waypoints,
        }
        save_checkpoint(folder / "checkpoint.pt", state)

    progress = Progress()
    network.train()
    step = first
    for crops, labels in batches(bank, recipe, rooms, first, machine.loaders):
        at = pace.at(step)
        if at >= recipe.steps:
            break
        # The margin comes once the classes have found their places, and is whole after half of the steps.
        margin = recipe.margin * min(1.0, max(0.0, at / recipe.steps - 0.1) / 0.4)
        with autocast(machine.device):
            embeddings = network(speaker_features(crops.to(machine.device)))
        loss, accuracy = head(embeddings.float(), labels.to(machine.device), margin)
        schedule.apply(optimizer, at)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        step += 1
        average.update(network, step)
        if len(waypoints) == 1 and at + 1 >= recipe.steps / 2:
            waypoints.append(average.copy())
        progress.add(step, {"loss": float(loss.detach()), "accuracy": float(accuracy), "margin": margin})
        if step % recipe.checkpoint_every == 0:
            save(step)
    save(step)
    return progress.recent("loss")


class _Crops(IterableDataset[tuple[Tensor, Tensor]]):
    """Crops of one length, float32, shape (batch, samples), and their classes, batch after batch.

    Each batch follows from its step, whoever prepares it.
    """

    def __init__(
        self, bank: VoiceBank, recipe: SpeakerRecipe, rooms: Sequence[np.ndarray], first: int
    ) -> None:
        self._bank, self._recipe, self._rooms, self._first = bank, recipe, rooms, first

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in itertools.count(self._first + offset, stride):
            yield self._batch(step)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        recipe = self._recipe
        rng = np.random.default_rng([recipe.seed, step])
        samples = int(rng.uniform(recipe.shortest_s, recipe.longest_s) * SAMPLE_RATE)
        drawn = [
            self._bank.draw(rng, recipe.people_share, samples)
            for _ in range(max(8, int(recipe.audio_s * SAMPLE_RATE / samples)))
        ]
        others = [crop for crop, _ in drawn]
        crops = [heard_elsewhere(crop, rng, others, self._rooms) for crop in others]
        return torch.from_numpy(np.stack(crops)), torch.tensor([label for _, label in drawn])


def batches(
    bank: VoiceBank, recipe: SpeakerRecipe, rooms: Sequence[np.ndarray], first: int, loaders: int
) -> DataLoader[tuple[Tensor, Tensor]]:
    """`_Crops` from step `first` on, prepared ahead by so many processes, or by none."""
    return DataLoader(_Crops(bank, recipe, rooms, first), batch_size=None, num_workers=loaders)


def has_test_people(folder: Path) -> bool:
    return any(TEST_PEOPLE in str(entry.path) for entry in recordings.listed(folder))


def test_people(folder: Path) -> list[list[np.ndarray]]:
    """The recordings of each person who is for measuring only, without silence around them."""
    listed = [r for r in recordings.listed(folder) if TEST_PEOPLE in str(r.path)]
    speakers = recordings.by_speaker(listed).values()
    return [[recordings.trimmed(recordings.read(path)) for path in paths] for paths in speakers]
