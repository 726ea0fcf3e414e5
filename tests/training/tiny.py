"""Shapes and a corpus so small that a test trains in seconds."""

from pathlib import Path
from typing import Any

import numpy as np

from training import corpus
from training.recogniser import Recipe, Shape

SHAPE = Shape(width=32, heads=2, feed_forward=64, encoder_blocks=1, decoder_blocks=1)
TEXTS = ["大家好", "我们开始开会", "没有问题", "今天讨论预算", "谢谢大家", "下周一上午九点"]


def recipe(steps: int, **changes: float) -> Recipe:
    options: dict[str, Any] = {
        "peak_rate": 5e-3,
        "warmup": 5,
        "batch_frames": 900,
        "checkpoint_every": 4,
    } | changes
    return Recipe(steps=steps, **options)


def write_corpus(folder: Path, shards: int = 1, copies: int = 2) -> None:
    """Each character is a pattern of its own in the mel bands: a language that is easy to learn."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(shards):
        rng = np.random.default_rng(number)
        labels = [(text, "voice") for text in TEXTS for _ in range(copies)]
        frames = [_spoken(text, rng) for text, _ in labels]
        corpus.write_shard(corpus.shard_path(folder, number), frames, labels)


def _spoken(text: str, rng: np.random.Generator) -> np.ndarray:
    sounds = [np.random.default_rng(ord(character)).normal(0, 4, 80) for character in text]
    frames = np.repeat(np.stack(sounds), 24, axis=0) + 12
    return (frames + rng.normal(0, 0.5, frames.shape)).astype(np.float32)
