"""FunASR's networks from a local directory: its classes, its files, and no more of it than that.

`funasr.AutoModel` is not used: it imports every model that FunASR has (seconds, hundreds of megabytes),
takes a misspelt path for a model to download, asks a package index for news, and sets threads, seed
and logging of the whole process. Nothing here reaches for the network.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import json
import pickle
import pkgutil
import sys
import types
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import yaml
from torch.overrides import TorchFunctionMode

from recognition.exceptions import ModelError

MODULES = {
    # FunASR's registry knows a class only after its module was imported.
    "ParaformerStreaming": "funasr.models.paraformer_streaming.model",
    "Paraformer": "funasr.models.paraformer.model",
    "BiCifParaformer": "funasr.models.bicif_paraformer.model",
    "SeacoParaformer": "funasr.models.seaco_paraformer.model",
    "SenseVoiceSmall": "funasr.models.sense_voice.model",
    "FunASRNano": "funasr.models.fun_asr_nano.model",
    "SANMEncoderChunkOpt": "funasr.models.scama.encoder",
    "SANMEncoder": "funasr.models.sanm.encoder",
    "SenseVoiceEncoderSmall": "funasr.models.sense_voice.model",
    "ParaformerSANMDecoder": "funasr.models.paraformer.decoder",
    "CifPredictorV2": "funasr.models.paraformer.cif_predictor",
    "CifPredictorV3": "funasr.models.bicif_paraformer.cif_predictor",
    "FsmnVADStreaming": "funasr.models.fsmn_vad_streaming.model",
    "FSMN": "funasr.models.fsmn_vad_streaming.encoder",
    "Transformer": "funasr.models.llm_asr.adaptor",
    "SenseVoiceTokenizer": "funasr.tokenizer.whisper_tokenizer",
    "CTTransformer": "funasr.models.ct_transformer.model",
    "CAMPPlus": "funasr.models.campplus.model",
    "TdnnXvector": "recognition.funasr.xvector",
    "ERes2NetV2": "funasr.models.eres2net.model",
}

_PARTS = {
    "encoder": "encoder_classes",
    "decoder": "decoder_classes",
    "predictor": "predictor_classes",
    "seaco_decoder": "decoder_classes",
    "audio_encoder": "encoder_classes",
    "audio_adaptor": "adaptor_classes",
    "ctc_decoder": "adaptor_classes",
    "ctc_tokenizer": "tokenizer_classes",
}
"""Keys of a configuration that name a class, and FunASR's tables of them."""

_INSIDE = (("llm_conf", "init_param_path"), ("ctc_tokenizer_conf", "vocab_path"))
"""Keys of a configuration that name what lies in the same directory."""


@dataclass(frozen=True)
class ModelDirectory:
    """A directory as ModelScope's hub and FunASR's training lay it out."""

    path: Path
    config: dict[str, Any]
    """`config.yaml`."""

    files: dict[str, Path]
    """`weights`, `cmvn`, `tokens`, `pieces` (SentencePiece's), `words` (jieba's dictionary): if there."""

    @property
    def model_class(self) -> str:
        return str(self.config["model"])

    @property
    def language_model(self) -> Path:
        """Folder with the configuration and the tokens of a language model.

        Raises:
            ModelError: If it is missing.
        """
        name = str((self.config.get("llm_conf") or {}).get("init_param_path", ""))
        if not name or not (self.path / name / "config.json").is_file():
            raise ModelError(f"{self.path} is not complete: it has no {name or 'language model'}/config.json")
        return self.path / name

    def file(self, kind: str) -> Path:
        """The path of a file that the model cannot do without.

        Raises:
            ModelError: If it is missing.
        """
        try:
            return self.files[kind]
        except KeyError:
            names = " or ".join(_FILE_NAMES[kind])
            raise ModelError(f"{self.path} is not complete: it has no {names}") from None

    @cached_property
    def tokens(self) -> list[str]:
        """The vocabulary, by id.

        Raises:
            ModelError: If there is none, or it cannot be read.
        """
        if "pieces" in self.files:
            return _read_pieces(self.files["pieces"])
        path = self.file("tokens")
        try:
            text = path.read_text(encoding="utf-8")
            tokens = json.loads(text) if path.suffix == ".json" else text.splitlines()
        except ValueError as exc:
            raise ModelError(f"{path} is no list of tokens: {exc}") from exc
        return [str(token) for token in tokens]


_HUB_KEYS = {
    "weights": ("init_param",),
    "cmvn": ("frontend_conf", "cmvn_file"),
    "tokens": ("tokenizer_conf", "token_list"),
    "pieces": ("tokenizer_conf", "bpemodel"),
    "words": ("jieba_usr_dict",),
}

_UNUSED = (
    "criterion",
    "specaug",
    "seaco_decoder.",
    "bias_encoder.",
    "hotword_output_layer.",
    "lstm_proj.",
)
"""Weights for training and for hot words: they may be there or not."""

_CTC = ("ctc.", "ctc_decoder.")
"""Weights for training as well, but of the networks that write by them."""

_WRITES_BY_CTC = ("SenseVoiceSmall",)

_FILE_NAMES = {
    "weights": (
        "model.pt",
        "campplus_cn_common.bin",
        "campplus_cn_en_common.pt",
        "pretrained_eres2netv2.ckpt",
    ),
    "cmvn": ("am.mvn",),
    "tokens": ("tokens.json", "tokens.txt"),
    "pieces": ("chn_jpn_yue_eng_ko_spectok.bpe.model",),
    "words": ("jieba_usr_dict",),
}


def open_directory(path: Path) -> ModelDirectory:
    """Look at a model directory without loading it.

    Raises:
        ModelError: If it is missing, incomplete or not of FunASR's form.
    """
    if not path.is_dir():
        raise ModelError(f"there is no model directory {path}")
    config_path = path / "config.yaml"
    if not config_path.is_file():
        raise ModelError(f"{path} is no FunASR model directory: it has no config.yaml")
    try:
        config = yaml.safe_load(config_path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ModelError(f"{config_path} cannot be read: {exc}") from exc
    if not isinstance(config, dict) or "model" not in config:
        raise ModelError(f"{config_path} names no model class")
    return ModelDirectory(path, config, _find_files(path))


def load_model(directory: ModelDirectory, supported: Sequence[str], *, needs: tuple[str, ...] = ()) -> Any:
    """FunASR's network with its weights, float32, ready for inference.

    Args:
        supported: Model classes that the caller can run.
        needs: Beginnings of names of weights without which it would do otherwise.

    Returns:
        The module; its parameters are mapped from the file and must not be written to.

    Raises:
        ModelError: If the class is another one, a file is missing or damaged, or the weights are not
            those of the configured network.
    """
    if directory.model_class not in supported:
        raise ModelError(
            f"{directory.path} holds a {directory.model_class}; supported here: {', '.join(supported)}"
        )
    weights = _read_weights(directory.file("weights"))
    with _Uninitialised():
        model = build_model(directory)
    inner = model.model if directory.model_class == "ERes2NetV2" else model
    if directory.model_class == "FunASRNano":
        weights = _with_head(weights)
    try:
        found = inner.load_state_dict(weights, strict=False, assign=True)
    except RuntimeError as exc:
        raise ModelError(f"{directory.file('weights')} does not fit config.yaml beside it: {exc}") from exc
    unused = _UNUSED if directory.model_class in _WRITES_BY_CTC else (*_UNUSED, *_CTC)
    missing = [name for name in found.missing_keys if name.startswith(needs) or not name.startswith(unused)]
    unknown = [name for name in found.unexpected_keys if not name.startswith(unused)]
    if missing or unknown:
        raise ModelError(
            f"{directory.file('weights')} does not fit config.yaml beside it: "
            f"{len(missing)} weights are missing ({', '.join(missing[:3])}), "
            f"{len(unknown)} are unknown ({', '.join(unknown[:3])})"
        )
    if directory.model_class == "FunASRNano":
        model.on_pretrained_model_loaded(weights.keys())  # without weights for it, it has no CTC
    return model.float().eval().requires_grad_(False)


_DRAWING = frozenset(
    {"normal_", "uniform_", "trunc_normal_", "orthogonal_"}
    | {f"{scheme}_{kind}_" for scheme in ("kaiming", "xavier") for kind in ("normal", "uniform")}
)
"""Names of functions that fill a tensor with random numbers: of tensors, of `torch.nn.init`, and of
`transformers`, which puts its own in their place. A mode is asked about the outermost alone."""


class _Uninitialised(TorchFunctionMode):
    """Draw no random weights where others take their place at once: that takes seconds.

    Weights without storage would cost no less: to compute with them PyTorch imports its compiler (3 s).
    """

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(function, "__name__", "") in _DRAWING:
            return args[0] if args else (kwargs or {})["tensor"]
        return function(*args, **(kwargs or {}))


def build_model(directory: ModelDirectory) -> Any:
    """The network that the directory configures, freshly initialised; training starts here.

    Raises:
        ModelError: If the configuration names an unknown class or does not fit it.
    """
    config = _with_paths(directory)
    arguments = {**config, **(config.get("model_conf") or {})}
    arguments["input_size"] = _input_size(config)
    if directory.files.keys() & {"tokens", "pieces"}:
        arguments["vocab_size"] = len(directory.tokens)
    try:
        for part, table in _PARTS.items():
            if config.get(part):
                _funasr_class(table, config[part])
        model_class = _funasr_class("model_classes", directory.model_class)
        return model_class(**arguments)
    except (TypeError, KeyError) as exc:
        raise ModelError(f"{directory.path / 'config.yaml'} is not what FunASR expects: {exc}") from exc


def _with_paths(directory: ModelDirectory) -> dict[str, Any]:
    """Return the configuration with whole paths: FunASR looks for them in the working directory."""
    config = copy.deepcopy(directory.config)
    for table, key in _INSIDE:
        if name := (config.get(table) or {}).get(key):
            config[table][key] = str(directory.path / name)
    if "llm_conf" in config:
        config["llm_conf"]["init_param_path"] = str(directory.language_model)
    return config


def _with_head(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights in which a language model's output layer, if it is missing, is its embedding: tied."""
    embedding, head = "llm.model.embed_tokens.weight", "llm.lm_head.weight"
    return weights if head in weights or embedding not in weights else weights | {head: weights[embedding]}


def _find_files(path: Path) -> dict[str, Path]:
    """Files under their usual names, or under those that the hub's configuration.json gives."""
    names = dict(_FILE_NAMES)
    hub_path = path / "configuration.json"
    if hub_path.is_file():
        try:
            metas = json.loads(hub_path.read_text(encoding="utf-8")).get("file_path_metas", {})
        except (ValueError, AttributeError) as exc:
            raise ModelError(f"{hub_path} cannot be read: {exc}") from exc
        for kind, keys in _HUB_KEYS.items():
            value: Any = metas
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, str):
                names[kind] = (value, *names[kind])
    return {
        kind: path / name
        for kind, candidates in names.items()
        for name in reversed(candidates)
        if (path / name).is_file()
    }


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        is_mappable = zipfile.is_zipfile(path)  # not the format of before PyTorch 1.6
        weights = torch.load(path, map_location="cpu", weights_only=True, mmap=is_mappable)
    except (RuntimeError, ValueError, EOFError, OSError, pickle.UnpicklingError) as exc:
        raise ModelError(f"{path} holds no weights, or was cut short: {exc}") from exc
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(weights, dict) and isinstance(weights.get(key), dict):
            weights = weights[key]
    if not isinstance(weights, dict):
        raise ModelError(f"{path} holds a {type(weights).__name__}, not weights by name")
    return {name.removeprefix("module."): tensor for name, tensor in weights.items()}


def _read_pieces(path: Path) -> list[str]:
    """Return the pieces of words that a SentencePiece model knows, by id."""
    from sentencepiece import SentencePieceProcessor

    try:
        model = SentencePieceProcessor(model_file=str(path))
    except (RuntimeError, OSError) as exc:
        raise ModelError(f"{path} is no SentencePiece model, or was cut short: {exc}") from exc
    return [str(model.id_to_piece(number)) for number in range(model.get_piece_size())]


def _input_size(config: dict[str, Any]) -> int:
    frontend = config.get("frontend_conf") or {}
    return int(frontend.get("n_mels", 80)) * int(frontend.get("lfr_m", 1))


def _funasr_class(table: str, name: str) -> Any:
    try:
        module = MODULES[name]
    except KeyError:
        raise ModelError(f"FunASR's class {name} is not supported") from None
    with lean_import():
        importlib.import_module(module)
        tables = importlib.import_module("funasr.register").tables
    return getattr(tables, table)[name]


@contextlib.contextmanager
def lean_import() -> Iterator[None]:
    """Import FunASR without all of its models, and without what it prints meanwhile.

    `funasr/__init__.py` walks through its own packages and imports each one: 5 s, 350 MB. Its models import
    `kaldiio`, which may not be passed on and reads files that we never have: docs/decisions/0028.
    """
    sys.modules.setdefault("kaldiio", types.ModuleType("kaldiio"))
    if "funasr" in sys.modules:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
        return
    walk_packages = pkgutil.walk_packages
    pkgutil.walk_packages = lambda *args, **kwargs: iter(())
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module("funasr")
            pkgutil.walk_packages = walk_packages
            yield
    finally:
        pkgutil.walk_packages = walk_packages
