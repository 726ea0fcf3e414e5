"""Paraformers of FunASR as ONNX, by FunASR's own export, with what sherpa-onnx reads of them beside.

    python -m benchmarks.peers.libraries.exporting MODELS ONNX SITE_PACKAGES

Runs in this project's environment; SITE_PACKAGES is where `onnx` is, which the exporter of torch asks for.
"""

from __future__ import annotations

import json
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from recognition.funasr.features import load_cmvn
from recognition.funasr.loading import ModelDirectory, load_model, open_directory

from .names import OFFLINE, STREAMING

_MODULES = {STREAMING: "paraformer_streaming", OFFLINE: "paraformer"}
_NEEDED = ("sanm.encoder", "scama.encoder", "paraformer.decoder", "paraformer.cif_predictor")
"""Modules that name the classes of the export."""

_OPSET = 14


def export(directory: ModelDirectory, folder: Path) -> None:
    """Write `model.onnx`, for a streaming one `decoder.onnx` as well, and its tokens and configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("cmvn", "tokens"):
        shutil.copy(directory.file(kind), folder)
    shutil.copy(directory.path / "config.yaml", folder)
    tokens = json.loads(directory.file("tokens").read_text(encoding="utf-8"))
    rows = "".join(f"{token} {number}\n" for number, token in enumerate(tokens))
    (folder / "tokens.txt").write_text(rows, encoding="utf-8")
    for module in _parts(directory):
        path = folder / f"{module.export_name}.onnx"
        _write(module, path)
        if module.export_name == "model":
            _describe(path, description(directory))


def _parts(directory: ModelDirectory) -> list[Any]:
    """Return the modules of FunASR's export of a model."""
    for name in _NEEDED:
        import_module(f"funasr.models.{name}")
    model = load_model(directory, [directory.model_class]).eval()
    meta = import_module(f"funasr.models.{_MODULES[directory.path.name]}.export_meta")
    options = {name: value for name, value in directory.config.items() if name != "model"}
    made = meta.export_rebuild_model(model, **options, max_seq_len=512, device="cpu", type="onnx")
    return [part.eval() for part in (made if isinstance(made, tuple) else (made,))]


@torch.no_grad()
def _write(module: Any, path: Path) -> None:
    torch.onnx.export(
        module,
        module.export_dummy_inputs(),
        str(path),
        opset_version=_OPSET,
        dynamo=False,  # the other exporter does not take FunASR's scripted loop over frames
        input_names=module.export_input_names(),
        output_names=module.export_output_names(),
        dynamic_axes=module.export_dynamic_axes(),
    )


def description(directory: ModelDirectory) -> dict[str, str]:
    """Return what sherpa-onnx reads in the metadata of a Paraformer's encoder."""
    config, cmvn = directory.config, load_cmvn(directory.file("cmvn"))
    decoder = config["decoder_conf"]
    numbers = {
        "vocab_size": len(json.loads(directory.file("tokens").read_text(encoding="utf-8"))),
        "lfr_window_size": config["frontend_conf"]["lfr_m"],
        "lfr_window_shift": config["frontend_conf"]["lfr_n"],
        "encoder_output_size": config["encoder_conf"]["output_size"],
        "decoder_num_blocks": decoder["num_blocks"],
        "decoder_kernel_size": decoder["kernel_size"],
    }
    values = {"neg_mean": cmvn.shift, "inv_stddev": cmvn.scale}
    return {
        "model_type": "paraformer",
        **{name: str(number) for name, number in numbers.items()},
        **{name: ",".join(map(str, value.tolist())) for name, value in values.items()},
    }


def _describe(path: Path, description: dict[str, str]) -> None:
    onnx = import_module("onnx")
    graph = onnx.load(str(path))
    for name, value in description.items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = name, value
    onnx.save(graph, str(path))


def main() -> None:
    models, out, packages = map(Path, sys.argv[1:])
    sys.path.append(str(packages))  # behind our own: of what both have, ours counts
    torch.set_num_threads(1)
    for name in (STREAMING, OFFLINE):
        export(open_directory(models / name), out / name)


if __name__ == "__main__":
    main()
