"""Turns training runs into model directories that plain `funasr.AutoModel(model=folder)` loads."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor

from recognition.funasr.features import Cmvn, write_cmvn
from training import punctuation, speaker
from training.loop import mean_of_weights
from training.recogniser import Shape, configuration, tokens


def export_recogniser(checkpoint: Path, folder: Path) -> None:
    """Write one weights file (half precision, averaged weights) and the two configurations that share it."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name.removeprefix("paraformer."): value
        for name, value in state["average"].items()
        if name.startswith("paraformer.") and not name.startswith("paraformer.ctc.")
    }
    torch.save(in_half_precision(weights), folder / "model.pt")
    write_json(folder / "tokens.json", tokens(state["characters"]))
    write_cmvn(folder / "am.mvn", Cmvn(*state["cmvn"]))
    streaming = configuration(Shape(**state["shape"]))
    for name, config in (("streaming", streaming), ("offline", offline_configuration(streaming))):
        (folder / name).mkdir(exist_ok=True)
        write_configuration(
            folder / name,
            config,
            init_param="../model.pt",
            tokenizer_conf={"token_list": "../tokens.json"},
            frontend_conf={"cmvn_file": "../am.mvn"},
        )


def export_punctuation(checkpoint: Path, folder: Path) -> None:
    """The averaged weights of the CT-Transformer, its tokens and its configuration."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(in_half_precision(state["average"]), folder / "model.pt")
    write_json(folder / "tokens.json", punctuation.tokens(state["characters"]))
    write_configuration(
        folder,
        punctuation.configuration(punctuation.PunctuationShape(**state["shape"])),
        init_param="model.pt",
        tokenizer_conf={"token_list": "tokens.json"},
    )


def export_speaker(checkpoint: Path, folder: Path) -> None:
    """The averaged weights of the speaker embedding and its configuration.

    Trained on from other weights, it is the mean over the whole way from there.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    folder.mkdir(parents=True, exist_ok=True)
    weights = mean_of_weights([*state["waypoints"], state["average"]])
    torch.save(in_half_precision(weights), folder / "model.pt")
    config = speaker.configuration(speaker.SpeakerShape(**state["shape"]))
    write_configuration(folder, config, init_param="model.pt")


def offline_configuration(streaming: dict[str, Any]) -> dict[str, Any]:
    """The same weights in FunASR's classes for whole utterances."""
    config = copy.deepcopy(streaming)
    config |= {"model": "Paraformer", "encoder": "SANMEncoder", "frontend": "WavFrontend"}
    encoder = config["encoder_conf"]
    encoder["input_layer"] = "pe"
    for name in (
        "chunk_size",
        "stride",
        "pad_left",
        "encoder_att_look_back_factor",
        "decoder_att_look_back_factor",
    ):
        del encoder[name]
    return config


def in_half_precision(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: value.half() if value.dtype == torch.float32 else value.clone()
        for name, value in weights.items()
    }


def write_configuration(folder: Path, config: dict[str, Any], **files: Any) -> None:
    """`config.yaml`, and the `configuration.json` that tells FunASR where the other files are."""
    OmegaConf.save(OmegaConf.create(config), folder / "config.yaml")
    metas = {"config": "config.yaml", **files}
    write_json(folder / "configuration.json", {"model": {"type": "funasr"}, "file_path_metas": metas})


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
