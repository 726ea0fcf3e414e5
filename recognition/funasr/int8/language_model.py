"""A language model of `transformers` in 8 bits: its linear layers, in the place of torch's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from recognition.int8.products import Linear, Rows, result


class QuantizedLinear(nn.Module):
    """A linear layer in 8 bits that takes and gives float32, shape (..., inputs) and (..., outputs)."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self._product = Linear(layer.weight, layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        rows = Rows.of(x.reshape(-1, x.shape[-1]).numpy())
        return torch.from_numpy(result(self._product(rows))).view(*x.shape[:-1], -1)


def quantized(model: Any) -> Any:
    """Return the model with its linear layers in 8 bits; its embedding stays as it is."""
    for name, layer in list(model.named_modules()):
        if isinstance(layer, nn.Linear):
            parent, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(parent), attribute, QuantizedLinear(layer))
    return model
