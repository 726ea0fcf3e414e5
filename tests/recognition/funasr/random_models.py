"""Small models with random weights, of FunASR's own classes, and FunASR's own way to run them."""

from __future__ import annotations

import functools
import importlib
import json
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.full_size_models import SMALL, WRITERS
from recognition.funasr.loading import MODULES, ModelDirectory, lean_import, load_model, open_directory

with lean_import():
    import funasr

torch.set_num_threads(1)

_ROOT = tempfile.TemporaryDirectory(prefix="random-models-")


@functools.cache
def model_path(name: str) -> Path:
    """Directory of one of `benchmarks.full_size_models.WRITERS`, made once in a test run.

    It writes single characters only: how words are put together from pieces is not FunASR's way.
    """
    path = Path(_ROOT.name) / name
    WRITERS[name](path, SMALL)
    tokens = path / "tokens.json"
    if tokens.exists():
        count = len(json.loads(tokens.read_text()))
        characters = [chr(0x4E00 + number) for number in range(count - 4)]
        tokens.write_text(json.dumps(["<blank>", "<s>", "</s>", *characters, "<unk>"]))
    return path


def model_directory(name: str) -> ModelDirectory:
    return open_directory(model_path(name))


@functools.cache
def auto_model(path: Path) -> Any:
    """FunASR's own way to run a model: the reference."""
    # All that FunASR could import by itself takes seven seconds.
    with warnings.catch_warnings(action="ignore"):
        tokenizers = (f"funasr.tokenizer.{name}_tokenizer" for name in ("char", "sentencepiece", "hf"))
        usual = (module for name, module in MODULES.items() if name != "FunASRNano")  # imports transformers
        for module in (*usual, "funasr.frontends.wav_frontend", *tokenizers):
            importlib.import_module(module)
    logging.disable(logging.WARNING)
    try:
        return funasr.AutoModel(
            model=str(path), disable_update=True, disable_pbar=True, disable_log=True, device="cpu", ncpu=1
        )
    finally:
        logging.disable(logging.NOTSET)


@functools.cache
def trained_campplus() -> Any:
    """CAM++ with statistics as training leaves them, lest a normalisation is folded wrongly unseen."""
    model = load_model(model_directory("cam++"), ["CAMPPlus"])
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean = torch.randn(module.num_features) * 0.1
            module.running_var = torch.rand(module.num_features) + 0.5
            if module.affine:
                module.weight = torch.nn.Parameter(torch.rand_like(module.weight) + 0.5, False)
                module.bias = torch.nn.Parameter(torch.randn_like(module.bias) * 0.1, False)
    return model


@functools.cache
def speech_like(seed: int, length: int) -> np.ndarray:
    """Noise in syllables of changing colour and loudness, float32, shape (length,)."""
    rng = np.random.default_rng(seed)
    audio = np.zeros(length, np.float32)
    position = int(rng.integers(0, 2000))
    while position < length:
        size = int(rng.integers(1500, 5000))
        carrier = np.sin(2 * np.pi * rng.uniform(90, 2500) / 16_000 * np.arange(size))
        syllable = rng.uniform(0.02, 0.4) * np.hanning(size) * (carrier + 0.3 * rng.standard_normal(size))
        end = min(length, position + size)
        audio[position:end] = syllable[: end - position]
        position = end + int(rng.integers(0, 3000))
    return audio + rng.standard_normal(length).astype(np.float32) * np.float32(1e-3)


def whole(audio: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """What to give an embedder for the voice in all of this audio."""
    return audio, [(0, len(audio))]
