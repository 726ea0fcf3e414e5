"""Error rates of a recogniser's directory, measured with FunASR's own classes as a user would load them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from funasr import AutoModel

from recognition.evaluation.measuring import Recording
from recognition.evaluation.scoring import character_error_rate
from training.recogniser import CHUNK, LOOK_AHEAD

CHUNK_SAMPLES = CHUNK * 960


def load(folder: Path) -> Any:
    """A model directory by FunASR's front door, which would look for a missing one on its hub."""
    if not (folder / "configuration.json").is_file():
        raise FileNotFoundError(f"{folder} is no model directory")
    return AutoModel(
        model=str(folder), device="cpu", ncpu=1, disable_update=True, disable_pbar=True, disable_log=True
    )


def transcribe_whole(model: Any, audio: np.ndarray) -> str:
    results = model.generate(input=audio)
    return results[0]["text"].replace(" ", "") if results else ""


def transcribe_in_chunks(model: Any, audio: np.ndarray) -> list[str]:
    """What each chunk of 600 ms adds."""
    cache: dict[str, Any] = {}
    count = max(1, math.ceil(len(audio) / CHUNK_SAMPLES))
    texts = []
    for number in range(count):
        piece = audio[number * CHUNK_SAMPLES : (number + 1) * CHUNK_SAMPLES]
        results = model.generate(
            input=piece,
            cache=cache,
            is_final=number == count - 1,
            chunk_size=[0, CHUNK, LOOK_AHEAD],
            encoder_chunk_look_back=4,
            decoder_chunk_look_back=1,
        )
        texts.append(results[0]["text"].replace(" ", ""))
    return texts


def finals(folder: Path, recordings: Iterable[Recording]) -> float:
    model = load(folder / "offline")
    return character_error_rate((r.text, transcribe_whole(model, r.audio)) for r in recordings)


def partials(folder: Path, recordings: Iterable[Recording]) -> float:
    model = load(folder / "streaming")
    return character_error_rate((r.text, "".join(transcribe_in_chunks(model, r.audio))) for r in recordings)
