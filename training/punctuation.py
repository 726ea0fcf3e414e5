"""Trains the punctuation model: a small CT-Transformer of FunASR on turns of the meeting grammar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from recognition.evaluation.scoring import is_chinese, mark_f1
from recognition.funasr.loading import lean_import
from training.loop import AveragedWeights, Progress, Schedule, load_checkpoint, padded, save_checkpoint
from training.text import MARKS, MeetingText, vocabulary

with lean_import():
    from funasr.models.ct_transformer.model import CTTransformer
    from funasr.models.sanm.encoder import SANMEncoder  # registers the encoder's name

MARK_NAMES = ["<unk>", "_", "，", "。", "？", "、"]
"""FunASR's `punc_list`: "_" is no mark."""

_NONE = 1
_UNKNOWN = "<unk>"
_IDS = {"，": 2, "。": 3, "？": 4, "、": 5, "！": 3, "；": 3}
_IGNORED = -1

__all__ = ["PunctuationShape", "SANMEncoder", "configuration", "train"]


@dataclass(frozen=True, slots=True)
class PunctuationShape:
    """Size of the network. The defaults are 0.65 million parameters."""

    width: int = 128
    heads: int = 4
    feed_forward: int = 384
    blocks: int = 3
    kernel: int = 11


@dataclass(frozen=True, slots=True)
class PunctuationRecipe:
    steps: int = 5000
    peak_rate: float = 1.5e-3
    warmup: int = 300
    cooling: float = 0.6
    turns: int = 48
    """In a batch."""

    seed: int = 1
    checkpoint_every: int = 500


def tokens(characters: list[str]) -> list[str]:
    return ["<pad>", *characters, _UNKNOWN]


def configuration(shape: PunctuationShape) -> dict[str, Any]:
    """FunASR's configuration, without paths."""
    return {
        "model": "CTTransformer",
        "model_conf": {
            "punc_list": MARK_NAMES,
            "punc_weight": [1.0] * len(MARK_NAMES),
            "embed_unit": shape.width,
            "att_unit": shape.width,
            "dropout_rate": 0.1,
            "ignore_id": _IGNORED,
            "sentence_end_id": _IDS["。"],
        },
        "encoder": "SANMEncoder",
        "encoder_conf": {
            "input_size": shape.width,
            "output_size": shape.width,
            "attention_heads": shape.heads,
            "linear_units": shape.feed_forward,
            "num_blocks": shape.blocks,
            "dropout_rate": 0.1,
            "positional_dropout_rate": 0.1,
            "attention_dropout_rate": 0.0,
            "input_layer": "pe",
            "normalize_before": True,
            "kernel_size": shape.kernel,
            "sanm_shfit": 0,
            "selfattention_layer_type": "sanm",
            "padding_idx": 0,
        },
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": _UNKNOWN},
    }


def build(shape: PunctuationShape, token_count: int) -> CTTransformer:
    config = configuration(shape)
    return CTTransformer(
        encoder=config["encoder"],
        encoder_conf=config["encoder_conf"],
        vocab_size=token_count,
        **config["model_conf"],
    )


def labelled(text: str) -> tuple[list[str], list[str]]:
    """Characters of `text`, and the mark after each ("" for none); ！ and ； count as full stops."""
    characters: list[str] = []
    marks: list[str] = []
    for character in text:
        if is_chinese(character):
            characters.append(character)
            marks.append("")
        elif character in MARKS and marks and not marks[-1]:
            marks[-1] = MARK_NAMES[_IDS[character]]
    return characters, marks


def misheard(characters: list[str], vocabulary_: list[str], rng: Random, share: float = 0.04) -> list[str]:
    """Some characters replaced at random: the text comes from a recogniser, and recognisers err."""
    return [rng.choice(vocabulary_) if rng.random() < share else character for character in characters]


def turns(rng: Random, *, held_out: bool = False) -> Iterator[str]:
    """What one person says at a time; now and then several turns, and now and then cut off in the middle."""
    text = MeetingText(rng, held_out=held_out)
    while True:
        turn = "".join(text.turn() for _ in range(rng.choices((1, 2, 3), weights=(70, 20, 10))[0]))
        yield turn


def train(folder: Path, shape: PunctuationShape, recipe: PunctuationRecipe) -> float:
    """Train to the end, from the last checkpoint on; returns the loss over the last steps."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    characters = list(vocabulary())
    ids = {token: number for number, token in enumerate(tokens(characters))}
    network = build(shape, len(ids))
    average = AveragedWeights(network, 0.998)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.peak_rate, weight_decay=0.01)
    schedule = Schedule(recipe.steps, recipe.peak_rate, recipe.warmup, recipe.cooling)
    start = 0
    if state := load_checkpoint(folder / "checkpoint.pt"):
        start = state["step"]
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        average.state = state["average"]
    progress = Progress()
    network.train()
    for step in range(start, recipe.steps):
        # Each step has a stream of text of its own, so that a resumed run reads what an unbroken one would.
        rng = Random(f"punctuation {recipe.seed} {step}")
        torch.manual_seed(recipe.seed * 1_000_003 + step)
        source = turns(rng)
        rows = [labelled(next(source)) for _ in range(recipe.turns)]
        heard = [misheard(row, characters, rng) for row, _ in rows]
        text = padded([[ids[c] for c in row] for row in heard], 0)
        marks = padded([[_IDS.get(mark, _NONE) for mark in row] for _, row in rows], _IGNORED)
        lengths = torch.tensor([len(row) for row in heard])
        schedule.apply(optimizer, step)
        scores, _ = network.punc_forward(text, lengths)
        loss = functional.cross_entropy(scores.flatten(0, 1), marks.flatten(), ignore_index=_IGNORED)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update(network, step + 1)
        progress.add(step + 1, {"loss": float(loss.detach())})
        if (step + 1) % recipe.checkpoint_every == 0 or step + 1 == recipe.steps:
            save_checkpoint(
                folder / "checkpoint.pt",
                {
                    "step": step + 1,
                    "shape": asdict(shape),
                    "characters": characters,
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "average": average.state,
                },
            )
    return progress.recent("loss")


@torch.no_grad()
def punctuate(network: CTTransformer, ids: list[int]) -> list[str]:
    """The mark after each token, the last one ending a sentence."""
    scores, _ = network.punc_forward(torch.tensor([ids]), torch.tensor([len(ids)]))
    marks = [MARK_NAMES[number] if number > _NONE else "" for number in scores[0].argmax(-1).tolist()]
    if marks[-1] not in ("。", "？"):
        marks[-1] = "。"
    return marks


def measure(folder: Path, *, turns_: int = 500, seed: int = 0) -> dict[str, float]:
    """F1 on held-out sentences: of all marks, of commas, of sentence ends, of questions, of marks inside."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    ids = {token: number for number, token in enumerate(tokens(state["characters"]))}
    network = build(PunctuationShape(**state["shape"]), len(ids)).eval()
    network.load_state_dict(state["average"])
    source = turns(Random(f"evaluation punctuation {seed}"), held_out=True)
    pairs = []
    for _ in range(turns_):
        characters, marks = labelled(next(source))
        pairs.append((marks, punctuate(network, [ids[c] for c in characters])))
    inside = [(expected[:-1], given[:-1]) for expected, given in pairs]
    return {
        "all": mark_f1(pairs, "，。？"),
        "commas": mark_f1(pairs, "，"),
        "ends": mark_f1(pairs, "。？"),
        "questions": mark_f1(pairs, "？"),
        "inside": mark_f1(inside, "，。？"),
    }
