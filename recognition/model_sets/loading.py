"""A model set, loaded and warmed up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from recognition.exceptions import ModelError
from recognition.interfaces import Models, VoiceActivityDetector
from recognition.language_model import LanguageModel, find_file, read_language_model
from recognition.model_sets.reading import ModelSet

from .embedding import FunasrEmbedder
from .loading import ModelDirectory, open_directory
from .offline import OfflineParaformer
from .precision import Precision, choose
from .punctuation import CtPunctuator
from .streaming import StreamingOptions, StreamingParaformer
from .vad import FsmnDetector, SileroDetector


def load(model_set: ModelSet, models_dir: Path, *, compute_type: str, device: str) -> Models:
    """See `recognition.model_sets.reading.load_models`."""
    chosen = choose(compute_type, device)
    # All models run on one thread, batch after batch: threads of torch's would only fight with it.
    torch.set_num_threads(1)

    def directory(role: str) -> ModelDirectory:
        return open_directory(_path(model_set, role, models_dir))

    language_model = _language_model(model_set, models_dir)
    models = Models(
        name=model_set.name,
        vad=_detector(model_set, models_dir, chosen),
        streaming=StreamingParaformer(
            directory("streaming"),
            StreamingOptions(**model_set.sources["streaming"].options),
            precision=chosen,
            language_model=language_model,
        ),
        offline=OfflineParaformer(directory("offline"), precision=chosen, language_model=language_model),
        punctuator=CtPunctuator(directory("punctuation"), precision=chosen),
        embedder=FunasrEmbedder(directory("speaker"), precision=chosen),
        device=chosen.device.type,
    )
    warm_up(models)
    return models


def warm_up(models: Models) -> None:
    """Run each model once: the first call allocates, compiles and is many times slower."""
    noise = np.random.default_rng(0).standard_normal(4 * models.streaming.chunk).astype(np.float32) * 0.01
    models.vad.detect([(models.vad.new_state(), noise[: models.vad.window])])
    state = models.streaming.new_state()
    for start in range(0, len(noise), models.streaming.chunk):
        models.streaming.decode([(state, noise[start : start + models.streaming.chunk])])
    models.streaming.release(state)
    models.offline.recognize([noise])
    models.punctuator.punctuate([["你", "好"]])
    models.embedder.embed([(noise, [(0, len(noise))])])


def _language_model(model_set: ModelSet, models_dir: Path) -> LanguageModel | None:
    source = model_set.sources.get("language_model")
    if source is None:
        return None
    file = find_file(_path(model_set, "language_model", models_dir))
    return read_language_model(file, **source.options)


def _path(model_set: ModelSet, role: str, models_dir: Path) -> Path:
    path = model_set.sources[role].directory(model_set.file, models_dir)
    if path is None:
        raise ModelError(f"{model_set.file}: [{role}] cannot come from a package")
    return path


def _detector(model_set: ModelSet, models_dir: Path, precision: Precision) -> VoiceActivityDetector:
    source = model_set.sources["vad"]
    path = source.directory(model_set.file, models_dir)
    if path is not None:
        return FsmnDetector(open_directory(path), precision=precision, **source.options)
    if source.package != "silero-vad":
        raise ModelError(f"{model_set.file}: the package {source.package} has no voice activity detector")
    return SileroDetector(**source.options)
