"""A language model in 8 bits: its linear layers are nearly the same functions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recognition.funasr.int8.language_model import QuantizedLinear, quantized
from recognition.int8 import products

pytestmark = pytest.mark.skipif(not products.is_supported(), reason="this CPU has no 8-bit products")


@pytest.mark.parametrize("has_bias", [True, False])
def test_a_layer_is_nearly_the_same_whatever_the_shape_of_what_comes(has_bias: bool) -> None:
    torch.manual_seed(1)
    layer = nn.Linear(64, 48, bias=has_bias)
    for shape in ((64,), (5, 64), (3, 5, 64)):
        x = torch.randn(shape)

        found = QuantizedLinear(layer)(x)

        assert found.shape == (*shape[:-1], 48)
        assert torch.allclose(found, layer(x), atol=0.05)


def test_all_linear_layers_are_replaced_and_nothing_else() -> None:
    inner = nn.Sequential(nn.Linear(16, 32), nn.ReLU())
    model = nn.ModuleDict({"embedding": nn.Embedding(9, 16), "inner": inner, "head": nn.Linear(32, 16)})

    found = quantized(model)

    kinds = {name: type(module) for name, module in found.named_modules() if not list(module.children())}
    assert kinds == {
        "embedding": nn.Embedding,
        "inner.0": QuantizedLinear,
        "inner.1": nn.ReLU,
        "head": QuantizedLinear,
    }
