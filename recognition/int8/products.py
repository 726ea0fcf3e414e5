"""Linear layers in 8-bit integers: products of quantised rows, by the fastest way of this CPU.

Weights are quantised per output, activations per row when they come (dynamically): what a row gets does not
depend on what it is batched with. The products are those of `matmul_vnni`, or oneDNN's: without
VNNI, and with AMX for many rows.

Source: Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018 (per-channel
weights); Yao et al., "ZeroQuant", NeurIPS 2022 (per-token activations).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recognition.shapes import filled_up

from . import kernels, matmul_vnni
from .kernels import Product, Quantized
from .llvm_tiles import cpu_has

AROUND_128 = 128
FROM_0 = 0


def is_supported() -> bool:
    """Tell whether this CPU, or oneDNN in this build of torch, has 8-bit products."""
    try:
        product = Linear(torch.eye(16), None)(Rows.of(np.eye(16, dtype=np.float32)))
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    return bool(np.allclose(result(product), np.eye(16), atol=0.02))


def result(product: Product) -> np.ndarray:
    """Return what a raw product stands for, float32."""
    found: np.ndarray = product.values * product.scale[:, None] + product.bias
    return found


class Rows:
    """Quantised rows: 8 bits each, a scale per row; shared by all that read them next.

    Args:
        size: To which they are filled up, if that is not `filled_up`: of what comes in few sizes by itself.

    Attributes:
        quantized: Arrays, as the kernels see them.
        tensor: The same values, as torch sees them, with rows behind them that nobody reads.
        zero: What stands for 0.
    """

    def __init__(self, m: int, d: int, zero: int = AROUND_128, *, size: int = 0) -> None:
        self.tensor = torch.empty(size or filled_up(m), d, dtype=torch.uint8)
        self.quantized = Quantized(self.tensor.numpy()[:m], np.empty(m, np.float32))
        self.zero = zero

    @classmethod
    def of(cls, x: np.ndarray, *, size: int = 0) -> Rows:
        rows = cls(*x.shape, size=size)
        kernels.quantize(np.ascontiguousarray(x), rows.quantized)
        return rows

    def take(self, places: Sequence[int]) -> Rows:
        """Return some of the rows."""
        values, scale = self.quantized
        rows = Rows(len(places), values.shape[1], self.zero)
        rows.quantized.values[:], rows.quantized.scale[:] = values[places], scale[places]
        return rows


class Linear:
    """A linear layer on quantised rows.

    Args:
        weight, bias: float32, shapes (outputs, inputs) and (outputs,).
        dtype: Of what comes out: bfloat16 where there is much of it, for writing it takes long.
        steps: See `weight_steps`.
        many_rows: Whether always hundreds of rows come at a time. Then oneDNN's products are the fastest on
            a CPU that has AMX.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        *,
        dtype: torch.dtype = torch.float32,
        steps: int | None = None,
        many_rows: bool = False,
    ) -> None:
        weight = weight.detach().float()
        scale = weight.abs().amax(1).clamp(min=1e-12) / (steps or weight_steps())
        quantized = (weight / scale[:, None]).round().to(torch.int8)
        multiplier = Vnni if takes_vnni(weight.shape[1], many_rows=many_rows) else OneDnn
        self._multiply = multiplier(quantized, scale.contiguous(), dtype)
        zeros = np.zeros(len(scale), np.float32)
        self.bias = zeros if bias is None else bias.detach().float().numpy().copy()

    def __call__(self, rows: Rows) -> Product:
        return Product(self._multiply(rows), rows.quantized.scale, self.bias)


class OneDnn:
    """The product through torch; arguments as those of `Vnni`."""

    def __init__(self, weight: Tensor, scale: Tensor, dtype: torch.dtype) -> None:
        self._packed = torch.ops.onednn.qlinear_prepack(weight, None)
        self._scale, self._dtype = scale, dtype
        self._zeros = torch.zeros(len(scale), dtype=torch.int32)

    def __call__(self, rows: Rows) -> np.ndarray:
        # Named with its overload: to find it takes a tenth of a call.
        product: Tensor = torch.ops.onednn.qlinear_pointwise.default(
            rows.tensor, 1.0, rows.zero, self._packed, self._scale, self._zeros, None,
            1.0, 0, self._dtype, "none", [], "",
        )  # fmt: skip
        values = (product.view(torch.uint16) if self._dtype == torch.bfloat16 else product).numpy()
        return values[: len(rows.quantized.values)]


class Vnni:
    """The product in `matmul_vnni`.

    Args:
        weight: int8, shape (outputs, inputs).
        scale: Of each output, float32.
        dtype: float32 or bfloat16.
    """

    def __init__(self, weight: Tensor, scale: Tensor, dtype: torch.dtype) -> None:
        self._packed = matmul_vnni.pack(weight.numpy())
        self._outputs = len(weight)
        self._dtype = np.uint16 if dtype == torch.bfloat16 else np.float32
        width = len(self._packed) * matmul_vnni.PANEL
        self._scale = np.zeros(width, np.float32)
        self._scale[: self._outputs] = scale.numpy()
        # What a zero that is not 0 adds to every product.
        sums = np.zeros(width, np.int32)
        sums[: self._outputs] = weight.sum(dim=1, dtype=torch.int32).numpy()
        self._corrections = {zero: sums * np.int32(zero) for zero in (AROUND_128, FROM_0)}

    def __call__(self, rows: Rows) -> np.ndarray:
        values = rows.quantized.values
        product = np.empty((len(values), self._outputs), self._dtype)
        matmul_vnni.multiply(values, self._packed, self._scale, self._corrections[rows.zero], product)
        return product


def takes_vnni(inputs: int, *, many_rows: bool = False) -> bool:
    """Tell whether products with so many inputs are our own on this CPU.

    With AMX oneDNN's are faster where there are many rows.
    """
    is_fastest = not (many_rows and cpu_has("amx-int8"))
    return matmul_vnni.is_supported() and is_fastest and inputs % matmul_vnni.INPUTS == 0


@functools.cache
def weight_steps() -> int:
    """Steps of a weight to either side of zero: 127, or 63 where sums of products would saturate.

    Without VNNI, AVX2 adds the products of two pairs of bytes in 16 bits: 2 * 255 * 127 does not fit, and
    comes out too small; 2 * 255 * 63 does fit.
    """
    ones = Rows.of(np.ones((1, 64), np.float32))
    product = Linear(torch.ones(16, 64), None, steps=127)(ones)
    return 127 if np.allclose(result(product), 64, rtol=0.02) else 63
