"""ONNX files in 8 bits, as sherpa-onnx's makers publish theirs and as FunASR exports its own.

    python -m benchmarks.peers.libraries.quantizing ONNX

Runs in an environment that has `onnxruntime`. The first way is the faster one wherever there is AVX512-VNNI:
to compare with the other would flatter us.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from .names import suffix

_LEFT_OUT = ("output", "bias_encoder", "bias_decoder")
"""Parts of names of nodes that FunASR's export leaves in float."""


def quantize(path: Path) -> None:
    """Write both beside a file."""
    graph = onnx.load(str(path))
    left_out = [node.name for node in graph.graph.node if any(part in node.name for part in _LEFT_OUT)]
    ways: dict[str, dict[str, Any]] = {
        "sherpa-onnx": {"weight_type": QuantType.QInt8},
        "funasr-onnx": {
            "weight_type": QuantType.QUInt8,
            "per_channel": True,
            "reduce_range": False,
            "nodes_to_exclude": left_out,
        },
    }
    for library, options in ways.items():
        target = path.with_name(f"{path.stem}{suffix(library, 'int8')}.onnx")
        quantize_dynamic(str(path), str(target), op_types_to_quantize=["MatMul"], **options)
        made = onnx.load(str(target))
        if not made.metadata_props:
            made.metadata_props.extend(graph.metadata_props)
            onnx.save(made, str(target))


def main() -> None:
    made = ("_int8", "_quant")
    for path in sorted(Path(sys.argv[1]).glob("*/*.onnx")):
        if not path.stem.endswith(made):
            quantize(path)


if __name__ == "__main__":
    main()
