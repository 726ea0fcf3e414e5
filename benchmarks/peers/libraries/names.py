"""Names of the directories and files that all of them are loaded from."""

from __future__ import annotations

STREAMING = "paraformer-zh-streaming"
OFFLINE = "paraformer-zh-plain"

_INT8 = {"sherpa-onnx": "_int8", "funasr-onnx": "_quant"}


def suffix(library: str, precision: str) -> str:
    """Return what the names of a library's ONNX files have behind them."""
    return _INT8[library] if precision == "int8" else ""
