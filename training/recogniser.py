"""Trains the recogniser: FunASR's streaming Paraformer, small, one set of weights for both passes.

Four batches in ten see the audio in the chunks of the streaming pass (600 ms with 300 ms of look-ahead),
the others see it whole, as the offline pass does. Three losses share the encoder: Paraformer's own (CIF and
attention decoder), CTC over characters, and CTC over pinyin, which tells the encoder what characters that
sound alike have in common; the last two heads are dropped on export.

Everything random follows from the seed and the step, so a run that is stopped goes on as if it had not been.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_finals_tone3, to_initials
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from recognition.funasr.features import MEL_BANDS, STACKED_FRAMES, Cmvn, load_cmvn, stack_frames
from recognition.funasr.loading import MODULES, lean_import
from training import augmentation
from training.corpus import Shard, read_shard, shard_paths
from training.loop import (
    AveragedWeights,
    Machine,
    Pace,
    Progress,
    Schedule,
    autocast,
    load_checkpoint,
    padded,
    save_checkpoint,
)
from training.text import vocabulary

with lean_import():
    from funasr.models.paraformer_streaming.model import ParaformerStreaming

    # FunASR's registry knows a class only after its module was imported.
    for name in ("SANMEncoderChunkOpt", "ParaformerSANMDecoder", "CifPredictorV2"):
        importlib.import_module(MODULES[name])

STREAMING, OFFLINE = 0, 1
"""Index of the chunk geometry in the encoder's lists."""

CHUNK, LOOK_AHEAD = 10, 5
"""Inputs of 60 ms each: FunASR's `chunk_size=[0, 10, 5]`."""

_WHOLE = 400
_INPUT = MEL_BANDS * STACKED_FRAMES
_BLANK, _START, _END, _UNKNOWN = "<blank>", "<s>", "</s>", "<unk>"


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of the network. The defaults are 5.1 million parameters."""

    width: int = 192
    heads: int = 4
    feed_forward: int = 512
    encoder_blocks: int = 10
    decoder_blocks: int = 2
    kernel: int = 11


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast to train; the rate stays at its peak until the last `cooling` share of steps."""

    steps: int = 60_000
    peak_rate: float = 1.5e-3
    warmup: int = 1500
    cooling: float = 0.3
    batch_frames: int = 4000
    seed: int = 1
    checkpoint_every: int = 500
    averaging: float = 0.9995


def tokens(characters: Sequence[str]) -> list[str]:
    """The token list of FunASR's `CharTokenizer`."""
    return [_BLANK, _START, _END, *characters, _UNKNOWN]


def configuration(shape: Shape) -> dict[str, Any]:
    """FunASR's configuration of the streaming model, without paths."""
    return {
        "model": "ParaformerStreaming",
        "model_conf": {
            "ctc_weight": 0.0,
            "lsm_weight": 0.1,
            "length_normalized_loss": True,
            "predictor_weight": 1.0,
            "predictor_bias": 1,
            "sampling_ratio": 0.4,
        },
        "encoder": "SANMEncoderChunkOpt",
        "encoder_conf": {
            "output_size": shape.width,
            "attention_heads": shape.heads,
            "linear_units": shape.feed_forward,
            "num_blocks": shape.encoder_blocks,
            "dropout_rate": 0.0,
            "positional_dropout_rate": 0.0,
            "attention_dropout_rate": 0.0,
            "input_layer": "pe_online",
            "normalize_before": True,
            "kernel_size": shape.kernel,
            "sanm_shfit": 0,
            "selfattention_layer_type": "sanm",
            "chunk_size": [CHUNK + LOOK_AHEAD, _WHOLE],
            "stride": [CHUNK, _WHOLE],
            "pad_left": [0, 0],
            "encoder_att_look_back_factor": [4, 4],
            "decoder_att_look_back_factor": [1, 1],
        },
        "decoder": "ParaformerSANMDecoder",
        "decoder_conf": {
            "attention_heads": shape.heads,
            "linear_units": shape.feed_forward,
            "num_blocks": shape.decoder_blocks,
            "att_layer_num": shape.decoder_blocks,
            "dropout_rate": 0.0,
            "positional_dropout_rate": 0.0,
            "self_attention_dropout_rate": 0.0,
            "src_attention_dropout_rate": 0.0,
            "kernel_size": shape.kernel,
            "sanm_shfit": (shape.kernel - 1) // 2,
        },
        "predictor": "CifPredictorV2",
        "predictor_conf": {
            "idim": shape.width,
            "threshold": 1.0,
            "l_order": 1,
            "r_order": 1,
            "tail_threshold": 0.45,
        },
        "frontend": "WavFrontendOnline",
        "frontend_conf": {
            "fs": 16000,
            "window": "hamming",
            "n_mels": MEL_BANDS,
            "frame_length": 25,
            "frame_shift": 10,
            "lfr_m": STACKED_FRAMES,
            "lfr_n": 6,
            "dither": 0.0,
        },
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": _UNKNOWN, "split_with_space": True},
    }


class Positions(nn.Module):
    """Stands in for FunASR's position encoder while training; it has no weights.

    In service a stream starts with `LOOK_AHEAD` inputs of zeros, which carry no position, and an utterance
    may be longer than any of the corpus: so training sees those zeros and starts counting anywhere.
    """

    table: Tensor

    def __init__(self, longest: int = 1600) -> None:
        super().__init__()
        # Source: Vaswani et al., "Attention Is All You Need", 2017, as FunASR counts: from 1.
        position = torch.arange(1, longest + 1, dtype=torch.float32)[:, None]
        half = _INPUT // 2
        scale = torch.exp(torch.arange(half, dtype=torch.float32) * (-math.log(10_000) / (half - 1)))
        self.register_buffer(
            "table", torch.cat([torch.sin(position * scale), torch.cos(position * scale)], 1), False
        )
        self.first = 0
        self.zeros = 0

    def forward(self, inputs: Tensor) -> Tensor:
        count = inputs.shape[1] - self.zeros
        encoded = inputs[:, self.zeros :] + self.table[self.first : self.first + count]
        return functional.pad(encoded, (0, 0, self.zeros, 0))


class _Paraformer(ParaformerStreaming):  # type: ignore[misc]
    """FunASR's model with a sampler that does not go through a batch one utterance at a time."""

    def sampler(
        self,
        encoder_out: Tensor,
        encoder_out_lens: Tensor,
        ys_pad: Tensor,
        ys_pad_lens: Tensor,
        pre_acoustic_embeds: Tensor,
        chunk_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Show the decoder the right characters in some places: the more, the more it got wrong.

        Source:
            Gao et al., "Paraformer", Interspeech 2022 (the glancing sampler), as FunASR has it.
        """
        real = ys_pad != self.ignore_id
        with torch.no_grad():
            decoded = self.decoder(
                encoder_out, encoder_out_lens, pre_acoustic_embeds, ys_pad_lens, chunk_mask
            )[0]
            wrong = (real & (decoded.argmax(-1) != ys_pad)).sum(1, keepdim=True)
            lots = torch.rand(real.shape, device=real.device).masked_fill(~real, 2.0)
            shown = (lots.argsort(1).argsort(1) < (wrong * self.sampling_ratio).long()) & real
        written = self.decoder.embed(ys_pad.clamp(min=0))
        embeds = torch.where(shown[:, :, None], written, pre_acoustic_embeds)
        return embeds * real[:, :, None], decoded * real[:, :, None]


class Recogniser(nn.Module):
    """The network with the heads and the position encoder that training adds."""

    def __init__(self, shape: Shape, token_count: int, unit_count: int) -> None:
        super().__init__()
        config = configuration(shape)
        model_conf = config["model_conf"] | {"ctc_weight": 0.3}
        parts = {k: v for k, v in config.items() if not k.startswith(("model", "frontend", "tokenizer"))}
        self.paraformer = _Paraformer(input_size=_INPUT, vocab_size=token_count, **parts, **model_conf)
        self.paraformer.error_calculator = None
        self.paraformer.encoder.embed = Positions()
        self.pinyin = nn.Linear(shape.width, unit_count)

    def encode(self, inputs: Tensor, lengths: Tensor, mode: int) -> tuple[Tensor, Tensor]:
        """Encoder output, float32, still in chunks.

        FunASR's own `encode` drops the mode, so that every batch would be chunked: hence past it.
        """
        with autocast(inputs.device.type, enabled=self.training):
            encoded, lengths, _ = self.paraformer.encoder(inputs, lengths, ind=mode)
        return encoded.float(), lengths

    def whole(self, encoded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's output without the overlap of its chunks, and how many inputs are left."""
        chunks = self.paraformer.encoder.overlap_chunk_cls
        inputs, counts = chunks.remove_chunk(encoded.clone(), lengths, chunk_outs=None)
        return inputs, counts

    def losses(self, batch: Batch, mode: int) -> dict[str, Tensor]:
        """The four losses, each per token."""
        encoded, lengths = self.encode(batch.inputs.clone(), batch.lengths, mode)
        whole, whole_lengths = self.whole(encoded, lengths)
        tokens_each = batch.token_counts.float().mean()
        character, _ = self.paraformer._calc_ctc_loss(whole, whole_lengths, batch.tokens, batch.token_counts)
        log_probs = functional.log_softmax(self.pinyin(whole), -1).transpose(0, 1)
        units = functional.ctc_loss(
            log_probs, batch.units, whole_lengths, batch.unit_counts, reduction="none", zero_infinity=True
        )
        attention, accuracy, _, _, counting, _ = self.paraformer._calc_att_predictor_loss(
            encoded, lengths, batch.tokens, batch.token_counts
        )
        return {
            "ctc": character / tokens_each,
            "pinyin": (units / batch.unit_counts.clamp(min=1)).mean(),
            "attention": attention,
            "counting": counting / tokens_each,
            "accuracy": torch.as_tensor(accuracy),
        }

    def start_from(self, exported: dict[str, Tensor]) -> None:
        """Take over the weights of an exported network, which may have fewer encoder blocks.

        Blocks that it has not are made to pass on what they get, until training finds better. The heads
        that export drops start anew.
        """
        ours = self.paraformer.state_dict()
        for name in ours.keys() - exported.keys():
            if name.startswith("encoder.encoders."):
                values = slice(2 * self.pinyin.in_features, None)
                if name.endswith(("linear_out.weight", "linear_out.bias", "w_2.weight", "w_2.bias")):
                    ours[name].zero_()
                elif name.endswith(("linear_q_k_v.weight", "linear_q_k_v.bias")):
                    ours[name][values].zero_()
        for name, value in exported.items():
            ours[name].copy_(value)

    @torch.no_grad()
    def decode(self, inputs: Tensor, lengths: Tensor, mode: int) -> list[list[int]]:
        """Token numbers, by the way that the pass of that mode takes in service."""
        positions: Positions = self.paraformer.encoder.embed
        positions.first, positions.zeros = 0, LOOK_AHEAD if mode == STREAMING else 0
        inputs = functional.pad(inputs, (0, 0, positions.zeros, 0))
        encoded, lengths = self.encode(inputs, lengths + positions.zeros, mode)
        embeddings, counts, _, _ = self.paraformer.calc_predictor(encoded, lengths)
        counts = counts.round().long()
        if not counts.max():
            return [[] for _ in range(len(inputs))]
        scores, _ = self.paraformer.cal_decoder_with_predictor(encoded, lengths, embeddings, counts)
        special = {self.paraformer.blank_id, self.paraformer.sos, self.paraformer.eos}
        best = scores.argmax(-1).tolist()
        return [
            [t for t in row[:n] if t not in special] for row, n in zip(best, counts.tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Batch:
    inputs: Tensor
    """float32, shape (batch, t, 560), normalised."""

    lengths: Tensor
    tokens: Tensor
    """int64, shape (batch, longest), padded with -1."""

    token_counts: Tensor
    units: Tensor
    """All pinyin units one after the other, int64."""

    unit_counts: Tensor

    def to(self, device: str) -> Batch:
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Heard:
    """A batch, and how it is heard: in chunks or whole, from which position on."""

    batch: Batch
    mode: int
    first: int


@functools.lru_cache(maxsize=200_000)
def pinyin_units(text: str) -> tuple[str, ...]:
    """Initials and toned finals, one or two to a character."""
    syllables = lazy_pinyin(
        text, style=Style.TONE3, neutral_tone_with_five=True, tone_sandhi=True, v_to_u=False
    )
    return tuple(unit for syllable in syllables for unit in pinyin_units_of(syllable))


@functools.cache
def all_units() -> dict[str, int]:
    """Every unit that the vocabulary's characters can sound as, numbered from 1; 0 is CTC's blank."""
    found = {
        unit
        for character in vocabulary()
        for reading in lazy_pinyin(character, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)
        for tone in "12345"
        for unit in pinyin_units_of(reading.rstrip("12345") + tone)
    }
    return {unit: number for number, unit in enumerate(sorted(found), start=1)}


def pinyin_units_of(syllable: str) -> list[str]:
    """Initial and toned final of a syllable; one of them may be missing."""
    initial = to_initials(syllable, strict=False)
    final = to_finals_tone3(syllable, strict=False, neutral_tone_with_five=True)
    return [unit for unit in (initial, final) if unit]


class Collator:
    """Turns utterances into batches of normalised inputs, targets and pinyin."""

    def __init__(self, characters: Sequence[str], cmvn: Cmvn) -> None:
        self._cmvn = cmvn
        listed = tokens(characters)
        self._ids = {token: number for number, token in enumerate(listed)}
        self._unknown = self._ids[_UNKNOWN]

    def __call__(self, frames: Sequence[np.ndarray], texts: Sequence[str]) -> Batch:
        lengths = torch.tensor([len(f) for f in frames])
        together = nn.utils.rnn.pad_sequence([torch.from_numpy(f) for f in frames], batch_first=True)
        inputs = self._cmvn(stack_frames(together, lengths))
        written = [[self._ids.get(character, self._unknown) for character in text] for text in texts]
        units = [[all_units().get(unit, 0) for unit in pinyin_units(text)] for text in texts]
        return Batch(
            inputs=inputs,
            lengths=(lengths + 5) // 6,
            tokens=padded(written, -1),
            token_counts=torch.tensor([len(text) for text in texts]),
            units=torch.tensor([unit for row in units for unit in row if unit]),
            unit_counts=torch.tensor([sum(1 for unit in row if unit) for row in units]),
        )


def measure_cmvn(shards: Sequence[Shard], rng: np.random.Generator, utterances: int = 400) -> Cmvn:
    """Mean and deviation of each band over varied utterances of the corpus, for all seven stacked frames."""
    chosen = []
    for _ in range(utterances):
        shard = shards[int(rng.integers(len(shards)))]
        chosen.append(augmentation.vary_frames(shard.features(int(rng.integers(len(shard.utterances)))), rng))
    frames = np.concatenate(chosen)
    shift = torch.from_numpy(-frames.mean(0)).repeat(STACKED_FRAMES)
    scale = torch.from_numpy(1 / frames.std(0)).repeat(STACKED_FRAMES)
    return Cmvn(shift.float(), scale.float())


def epoch_batches(shards: Sequence[Shard], recipe: Recipe, epoch: int) -> list[list[tuple[int, int]]]:
    """Every utterance once, in batches of like lengths and at most `batch_frames` frames with padding."""
    rng = Random(f"{recipe.seed} {epoch}")
    utterances = [(s, u) for s, shard in enumerate(shards) for u in range(len(shard.utterances))]
    rng.shuffle(utterances)
    batches = []
    for start in range(0, len(utterances), 800):
        pool = sorted(utterances[start : start + 800], key=lambda at: shards[at[0]].utterances[at[1]].length)
        batch: list[tuple[int, int]] = []
        for at in pool:
            longest = shards[at[0]].utterances[at[1]].length  # the pool is sorted: this one is the longest
            if batch and longest * (len(batch) + 1) > recipe.batch_frames:
                batches.append(batch)
                batch = []
            batch.append(at)
        batches.append(batch)
    rng.shuffle(batches)
    return batches


class _Epoch(Dataset[Heard]):
    """The batches of an epoch, ready to train on: each follows from its step, whoever prepares it."""

    def __init__(self, trainer: Trainer, batches: list[list[tuple[int, int]]]) -> None:
        self._seed, self._shards, self._collate = trainer.recipe.seed, trainer.shards, trainer.collate
        self._batches, self._first_step = batches, trainer.step - trainer.position

    def __getitem__(self, position: int) -> Heard:
        rng = np.random.default_rng([self._seed, self._first_step + position])
        chosen = self._batches[position]
        frames = [augmentation.vary_frames(self._shards[s].features(u), rng) for s, u in chosen]
        batch = self._collate(frames, [self._shards[s].utterances[u].text for s, u in chosen])
        mode = STREAMING if rng.random() < 0.5 else OFFLINE
        return Heard(batch, mode, int(rng.integers(0, 400)) if rng.random() < 0.3 else 0)


class Trainer:
    """One training run in one folder, resumed from its last checkpoint if there is one.

    Args:
        folder: Where checkpoints and the log go.
        corpus: Folder of the shards. Shards that appear later join at the next epoch.
        start: A directory of an exported recogniser to start from, if there is no checkpoint.
    """

    def __init__(
        self,
        folder: Path,
        corpus: Path,
        shape: Shape,
        recipe: Recipe,
        machine: Machine | None = None,
        start: Path | None = None,
    ) -> None:
        self.folder, self.corpus, self.shape, self.recipe = folder, corpus, shape, recipe
        self.machine = machine or Machine()
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe.seed)
        self.characters = list(vocabulary())
        self.step, self.epoch, self.position = 0, 0, 0
        self._read_shards(shard_paths(corpus))
        self.network = Recogniser(shape, len(tokens(self.characters)), len(all_units()) + 1)
        state = load_checkpoint(folder / "checkpoint.pt")
        if start and not state:
            self.network.start_from(torch.load(start / "model.pt", weights_only=True))
        self.network.to(self.machine.device)
        self.average = AveragedWeights(self.network, recipe.averaging)
        self.schedule = Schedule(recipe.steps, recipe.peak_rate, recipe.warmup, recipe.cooling)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.peak_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        if state:
            self._resume(state)
        elif start:
            self.cmvn = load_cmvn(start / "am.mvn")
        else:
            self.cmvn = measure_cmvn(self.shards, np.random.default_rng(recipe.seed))
        self.collate = Collator(self.characters, self.cmvn)

    def run(self, until: int | None = None) -> Iterator[dict[str, float]]:
        """Train to the end of the recipe, or to step `until`; yields the losses of each step."""
        last = self.recipe.steps if until is None else min(until, self.recipe.steps)
        pace = Pace(self.recipe.steps, self.step, self.machine.minutes)
        self.network.train()
        while pace.at(self.step) < last:
            batches = epoch_batches(self.shards, self.recipe, self.epoch)
            for heard in self._prepared(batches):
                self.position += 1
                yield self._train_on(heard, pace.at(self.step))
                if self.step % self.recipe.checkpoint_every == 0:
                    self.save()
                if pace.at(self.step) >= last:
                    break
            if self.position >= len(batches):
                self.epoch, self.position = self.epoch + 1, 0
                self._read_shards(shard_paths(self.corpus))

    def _read_shards(self, paths: Sequence[Path]) -> None:
        self._paths, self.shards = paths, [read_shard(path) for path in paths]

    def _prepared(self, batches: list[list[tuple[int, int]]]) -> DataLoader[Heard]:
        return DataLoader(
            _Epoch(self, batches),
            batch_size=None,
            sampler=range(self.position, len(batches)),
            num_workers=self.machine.loaders,
            prefetch_factor=4 if self.machine.loaders else None,
        )

    def _train_on(self, heard: Heard, at: int) -> dict[str, float]:
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)
        batch = self._place(heard)
        rate = self.schedule.apply(self.optimizer, at)
        losses = self.network.losses(batch, heard.mode)
        # The decoder has nothing to go by until the encoder hears anything.
        attention = 0.3 if at < 2 * self.recipe.warmup else 1.0
        total = (
            0.5 * losses["ctc"]
            + losses["pinyin"]
            + attention * losses["attention"]
            + 2.0 * losses["counting"]
        )
        self.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 3.0)
        if torch.isfinite(norm):
            self.optimizer.step()
        self.step += 1
        self.average.update(self.network, self.step)
        return {name: float(value.detach()) for name, value in losses.items()} | {
            "rate": rate,
            "seconds": float(batch.lengths.sum()) * 0.06,
        }

    def _place(self, heard: Heard) -> Batch:
        """The batch where the network is, with the zeros that a stream starts with if it is heard as one."""
        positions: Positions = self.network.paraformer.encoder.embed
        positions.first = heard.first
        positions.zeros = LOOK_AHEAD if heard.mode == STREAMING else 0
        batch = heard.batch.to(self.machine.device)
        if not positions.zeros:
            return batch
        inputs = functional.pad(batch.inputs, (0, 0, LOOK_AHEAD, 0))
        return replace(batch, inputs=inputs, lengths=batch.lengths + LOOK_AHEAD)

    def averaged_network(self) -> Recogniser:
        """The network with its averaged weights, for measuring and export."""
        network = Recogniser(self.shape, len(tokens(self.characters)), len(all_units()) + 1)
        network.load_state_dict(self.average.state)
        return network.eval()

    def save(self) -> None:
        state = {
            "step": self.step,
            "epoch": self.epoch,
            "position": self.position,
            "shards": [path.name for path in self._paths],
            "shape": asdict(self.shape),
            "recipe": asdict(self.recipe),
            "characters": self.characters,
            "cmvn": (self.cmvn.shift, self.cmvn.scale),
            "network": self.network.state_dict(),
            "average": self.average.state,
            "optimizer": self.optimizer.state_dict(),
        }
        save_checkpoint(self.folder / "checkpoint.pt", state)

    def _resume(self, state: dict[str, Any]) -> None:
        if state["characters"] != self.characters:
            raise ValueError(f"{self.folder} was trained on another vocabulary; start in an empty folder")
        self.step, self.epoch, self.position = state["step"], state["epoch"], state["position"]
        # Mid-epoch, the order of the utterances depends on which shards there were when it began.
        self._read_shards([self.corpus / name for name in state["shards"]])
        self.cmvn = Cmvn(*state["cmvn"])
        self.network.load_state_dict(state["network"])
        self.average.load(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])


def train(
    folder: Path,
    shape: Shape,
    recipe: Recipe,
    corpus: Path,
    machine: Machine | None = None,
    start: Path | None = None,
) -> float:
    """Train to the end, from the last checkpoint on; returns the pinyin loss over the last steps."""
    trainer = Trainer(folder, corpus, shape, recipe, machine, start)
    count = sum(p.numel() for p in trainer.network.parameters())
    print(f"{count:,} parameters, {len(trainer.shards)} shards, from step {trainer.step}", flush=True)
    progress = Progress()
    for losses in trainer.run():
        progress.add(trainer.step, losses)
    trainer.save()
    return progress.recent("pinyin")
