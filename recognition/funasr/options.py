"""Options of the kinds of models that FunASR's networks give; torch and FunASR come in when one is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from recognition.interfaces import (
    OfflineRecognizer,
    Punctuator,
    SpeakerEmbedder,
    StreamingRecognizer,
    VoiceActivityDetector,
)
from recognition.model_options import EmbedderOptions, LoadContext, ModelOptions, Spells
from recognition.tables import Between

from .spelling import read_spelling

if TYPE_CHECKING:
    from .loading import ModelDirectory
    from .precision import Precision


@dataclass(frozen=True, slots=True)
class FunasrOptions(ModelOptions):
    """A model in a directory as ModelScope's hub and FunASR's training lay it out."""

    # Examples, pictures and training logs stay on the hub.
    wanted_files: ClassVar[tuple[str, ...]] = (
        *("*.yaml", "*.json", "*.pt", "*.bin", "*.ckpt", "*.mvn"),
        *("tokens.txt", "seg_dict", "jieba_usr_dict"),
    )

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        """Return whether there are a configuration and weights, or a way to weights that lie elsewhere."""
        has_weights = any(next(directory.glob(f"*{suffix}"), None) for suffix in (".pt", ".bin", ".ckpt"))
        is_reference = (directory / "configuration.json").is_file()
        return (directory / "config.yaml").is_file() and (has_weights or is_reference)

    def device(self, context: LoadContext) -> str:
        return str(_precision(context).device.type)

    def _arguments(self, context: LoadContext) -> dict[str, Any]:
        """Return what the constructors of all kinds take."""
        return {"directory": self.open_directory(context.directory), "precision": _precision(context)}

    @classmethod
    def open_directory(cls, path: Path) -> ModelDirectory:
        """Look at the model's directory without loading it.

        Raises:
            ModelError: If it is missing, incomplete or of another form.
        """
        from .loading import open_directory

        return open_directory(path)


@dataclass(frozen=True, slots=True)
class SileroOptions(ModelOptions):
    """Silero's voice activity detector, on the CPU."""

    package: ClassVar[str] = "silero-vad"

    frames: Annotated[int, Between(1, 30)] = 6
    """Of 32 ms, in one window."""

    def load(self, context: LoadContext) -> VoiceActivityDetector:
        from .vad import SileroDetector

        _take_one_thread()
        return SileroDetector(frames=self.frames)


@dataclass(frozen=True, slots=True)
class FsmnOptions(FunasrOptions):
    """FunASR's FSMN voice activity detector."""

    frames: Annotated[int, Between(3, 100)] = 20
    """Of 10 ms, in one window."""

    def load(self, context: LoadContext) -> VoiceActivityDetector:
        from .vad import FsmnDetector

        return FsmnDetector(**self._arguments(context), frames=self.frames)


@dataclass(frozen=True, slots=True)
class StreamingOptions(FunasrOptions):
    """Streaming Paraformer: how a stream is cut, in inputs of 60 ms. FunASR writes [0, chunk, look_ahead]."""

    takes_language_model: ClassVar[bool] = True

    chunk: Annotated[int, Between(1, 100)] = 10
    look_ahead: Annotated[int, Between(0, 100)] = 5
    encoder_look_back: Annotated[int, Between(0, 100)] = 4
    """Chunks that the encoder sees before its window."""
    decoder_look_back: Annotated[int, Between(0, 100)] = 1
    """Chunks that the decoder sees before its window."""

    def load(self, context: LoadContext) -> StreamingRecognizer:
        from .streaming import StreamingParaformer

        arguments = self._arguments(context)
        return StreamingParaformer(**arguments, options=self, language_model=context.language_model)


@dataclass(frozen=True, slots=True)
class ParaformerOptions(FunasrOptions):
    """Paraformer, BiCifParaformer or SeacoParaformer over whole utterances."""

    takes_language_model: ClassVar[bool] = True

    hotwords: Literal["lattice", "seaco"] = "lattice"
    """How they are heard: among the likely tokens, or by the decoder that a SeacoParaformer has for them."""

    @classmethod
    def spelling(cls, directory: Path) -> Spells | None:
        """Return what tells which words have tokens."""
        return read_spelling(directory)

    def load(self, context: LoadContext) -> OfflineRecognizer:
        from .offline import OfflineParaformer

        arguments = self._arguments(context)
        return OfflineParaformer(**arguments, language_model=context.language_model, hotwords=self.hotwords)


@dataclass(frozen=True, slots=True)
class SenseVoiceOptions(FunasrOptions):
    """SenseVoice over whole utterances: its words with marks, and how they sound."""

    wanted_files: ClassVar[tuple[str, ...]] = (*FunasrOptions.wanted_files, "*.model")

    languages: tuple[Literal["zh", "en", "yue", "ja", "ko"], ...] = ("zh", "en", "yue", "ja", "ko")
    """Codes of what is spoken; if there are several, it is found out for each utterance."""

    def __post_init__(self) -> None:
        if not self.languages:
            raise ValueError("languages is empty; name at least one")

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        """Return whether the pieces of its words are there besides."""
        return FunasrOptions.is_complete(directory) and any(directory.glob("*.model"))

    def spoken(self) -> tuple[str, ...]:
        return self.languages

    def load(self, context: LoadContext) -> OfflineRecognizer:
        from .sensevoice import SenseVoice

        return SenseVoice(**self._arguments(context), languages=self.languages)


@dataclass(frozen=True, slots=True)
class NanoOptions(FunasrOptions):
    """Fun-ASR-Nano over whole utterances: a language model that is given speech, and marks by itself."""

    wanted_files: ClassVar[tuple[str, ...]] = (
        *(*FunasrOptions.wanted_files, "*.tiktoken"),
        *("*/config.json", "*/tokenizer*.json", "*/vocab.json", "*/merges.txt"),
    )
    recognises_apart: ClassVar[bool] = True

    languages: tuple[Literal["zh", "en", "ja"], ...] = ("zh", "en", "ja")
    """Codes of what is spoken; the session's, if it has one of them, or the only one is asked for."""

    hotwords: Literal["sound", "prompt"] = "sound"
    """Whether they are written for what sounds like them, or the model is asked for them."""

    def __post_init__(self) -> None:
        if not self.languages:
            raise ValueError("languages is empty; name at least one")

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        """Return whether a language model's configuration and tokens are there besides."""
        return FunasrOptions.is_complete(directory) and any(directory.glob("*/tokenizer*.json"))

    def spoken(self) -> tuple[str, ...]:
        return self.languages

    def load(self, context: LoadContext) -> OfflineRecognizer:
        from .nano import FunAsrNano

        return FunAsrNano(**self._arguments(context), languages=self.languages, hotwords=self.hotwords)


@dataclass(frozen=True, slots=True)
class CtTransformerOptions(FunasrOptions):
    """CT-Transformer's punctuation."""

    def load(self, context: LoadContext) -> Punctuator:
        from .punctuation import CtPunctuator

        return CtPunctuator(**self._arguments(context))


@dataclass(frozen=True, slots=True)
class SpeakerOptions(FunasrOptions, EmbedderOptions):
    """CAM++, ERes2NetV2 or our x-vector network, as config.yaml says."""

    def load(self, context: LoadContext) -> SpeakerEmbedder:
        from .embedding import FunasrEmbedder

        return FunasrEmbedder(**self._arguments(context))


@dataclass(frozen=True, slots=True)
class CampplusOptions(SpeakerOptions):
    """CAM++ for Mandarin and English, "advanced": weights alone, of a network that is always the same."""

    turn_penalty: Annotated[float, Between(0, 10)] = 0.4
    """Best of 0.3 to 0.8 for meetings with turns that follow without a pause, in a room, and of AMI."""

    weights: ClassVar[str] = "campplus_cn_en_common.pt"
    wanted_files: ClassVar[tuple[str, ...]] = (weights,)

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        """Return whether the weights are there."""
        return (directory / cls.weights).is_file()

    @classmethod
    def open_directory(cls, path: Path) -> ModelDirectory:
        """Describe the directory as if it had the configuration that such a model is published with."""
        from .loading import ModelDirectory

        weights = path / cls.weights
        return ModelDirectory(path, CAMPPLUS, {"weights": weights} if weights.is_file() else {})

    def load(self, context: LoadContext) -> SpeakerEmbedder:
        from .embedding import FunasrEmbedder

        return FunasrEmbedder(**self._arguments(context), name="campplus-zh-en")


CAMPPLUS: dict[str, Any] = {
    "model": "CAMPPlus",
    "model_conf": {
        "feat_dim": 80,
        "embedding_size": 192,
        "growth_rate": 32,
        "bn_size": 4,
        "init_channels": 128,
        "config_str": "batchnorm-relu",
        "memory_efficient": True,
        "output_level": "segment",
    },
    "frontend": "WavFrontend",
    "frontend_conf": {"fs": 16000},
}
"""The network of "Wang et al., CAM++", in its published size."""


def _precision(context: LoadContext) -> Precision:
    from .precision import choose

    _take_one_thread()
    return choose(context.compute_type, context.device)


def _take_one_thread() -> None:
    """All models run on one thread, batch after batch: threads of torch's would only fight with it."""
    import torch

    torch.set_num_threads(1)
