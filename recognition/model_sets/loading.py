"""Loads the models of a set, in the order in which they need each other, and runs each of them once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

import numpy as np

from recognition import heap
from recognition.core import words
from recognition.exceptions import ModelError
from recognition.interfaces import (
    TURN_PENALTY,
    Models,
    OfflineRecognizer,
    Punctuator,
    Samples,
    SpeakerEmbedder,
    SpeakerSegmenter,
    StreamingRecognizer,
    VoiceActivityDetector,
)
from recognition.language_model import LanguageModel
from recognition.model_options import EmbedderOptions, LoadContext

from .reading import ModelSet, ModelSource

MAX_REASON = 500
"""Characters of what a message tells after the place."""


def load_models(
    model_set: ModelSet, models_dir: Path, *, compute_type: str = "auto", device: str = "auto"
) -> Models:
    """Load every model of the set and run each once, so that the first session waits for nothing.

    Args:
        models_dir: Where models from the hub are kept.
        compute_type: "auto", or one of `recognition.funasr.precision.COMPUTE_TYPES`.
        device: "auto", "cpu" or "cuda".

    Raises:
        ModelError: If a model cannot be loaded or run, whatever is the matter; the message names its place.
    """
    if model_set.fake:
        return replace(model_set.fake(), partials=model_set.partials)
    _check_fetched(model_set, models_dir)
    loaded: dict[str, Any] = {}
    devices = {"cpu"}
    for source in (model_set.sources[role] for role in _ROLES if role in model_set.sources):
        context = LoadContext(
            source.directory(models_dir) or Path(),
            compute_type,
            device,
            language_model=loaded.get("language_model"),
            offline=loaded.get("offline"),
        )
        with errors_named(f"{model_set.file}: [{source.role}]"):
            loaded[source.role] = _load(source, context)
            devices.add(source.options.device(context))
    words.load()  # the first utterance that must be cut cannot wait for it
    return Models(
        name=model_set.name,
        vad=loaded["vad"],
        offline=loaded["offline"],
        streaming=loaded.get("streaming"),
        punctuator=loaded.get("punctuation"),
        embedder=loaded.get("speaker"),
        turn_penalty=_turn_penalty(model_set),
        segmenter=loaded.get("segmentation"),
        device=max(devices),  # "cuda" if one of them is there
        recognises_apart=model_set.sources["offline"].options.recognises_apart,
        partials=model_set.partials,
    )


def _turn_penalty(model_set: ModelSet) -> float:
    speaker = model_set.sources.get("speaker")
    options = speaker.options if speaker else None
    return options.turn_penalty if isinstance(options, EmbedderOptions) else TURN_PENALTY


def _check_fetched(model_set: ModelSet, models_dir: Path) -> None:
    if model_set.lacks_what_can_be_fetched(models_dir):
        names = ", ".join(source.title for source in model_set.missing(models_dir))
        raise ModelError(
            f"the model set {model_set.name} is not complete: {names} missing in {models_dir}; "
            f"fetch with: python manage.py models pull {model_set.reference}"
        )


@contextmanager
def errors_named(place: str) -> Iterator[None]:
    """Name the place in whatever goes wrong, in one line.

    Raises:
        ModelError: In place of any other error.
    """
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{place}: {shorten(str(error), MAX_REASON)}") from error
    except MemoryError as error:
        raise ModelError(f"{place}: there is not enough memory for it") from error
    except Exception as error:  # a library may raise anything, and a start that fails must say where
        reason = f"{type(error).__name__}: {shorten(str(error), MAX_REASON)}"
        raise ModelError(f"{place}: it cannot be loaded or run: {reason}") from error


def _load(source: ModelSource, context: LoadContext) -> Any:
    model = source.options.load(context)
    role = _ROLES[source.role]
    if not isinstance(model, role.interface):
        raise ModelError(
            f"kind {source.kind} loads a {type(model).__name__}, which is no {role.interface.__name__}"
        )
    # The first call allocates, compiles and is many times slower; and what is damaged may fail only now.
    role.first_run(model)
    heap.give_back()
    return model


def _detect(vad: VoiceActivityDetector) -> None:
    vad.detect([(vad.new_state(), _noise(vad.window))])


def _recognize(offline: OfflineRecognizer) -> None:
    offline.recognize([_noise(32_000)])


def _decode(streaming: StreamingRecognizer) -> None:
    if not streaming.chunk:
        return
    state = streaming.new_state()
    for chunk in np.split(_noise(4 * streaming.chunk), 4):
        streaming.decode([(state, chunk)])
    streaming.release(state)


def _punctuate(punctuator: Punctuator) -> None:
    punctuator.punctuate([["你", "好"]])


def _embed(embedder: SpeakerEmbedder) -> None:
    embedder.embed([(_noise(32_000), [(0, 32_000)])])


def _segment(segmenter: SpeakerSegmenter) -> None:
    segmenter.segment([_noise(segmenter.window)])


def _nothing(language_model: LanguageModel) -> None:
    """It is used by the recognisers' runs."""


def _noise(length: int) -> Samples:
    noise: Samples = np.random.default_rng(0).standard_normal(length).astype(np.float32) * np.float32(0.01)
    return noise


class _Role(NamedTuple):
    interface: type
    first_run: Callable[[Any], None]


_ROLES: Mapping[str, _Role] = {
    "language_model": _Role(LanguageModel, _nothing),
    "vad": _Role(VoiceActivityDetector, _detect),
    "offline": _Role(OfflineRecognizer, _recognize),
    "streaming": _Role(StreamingRecognizer, _decode),
    "punctuation": _Role(Punctuator, _punctuate),
    "speaker": _Role(SpeakerEmbedder, _embed),
    "segmentation": _Role(SpeakerSegmenter, _segment),
}
"""Those first whose models others are given."""
