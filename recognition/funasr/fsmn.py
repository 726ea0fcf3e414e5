"""The network of FunASR's FSMN-VAD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognition.exceptions import ModelError


class FsmnNetwork(nn.Module):
    """FunASR's encoder for a few rows at a time, where calls cost more than numbers."""

    def __init__(self, encoder: Any, silence: Sequence[int]) -> None:
        super().__init__()
        if any(block.fsmn_block.conv_right is not None for block in encoder.fsmn):
            raise ModelError("an FSMN that looks ahead (rorder > 0) cannot stream")
        self.into = Affine(encoder.in_linear1, encoder.in_linear2)
        self.project: Any = nn.ModuleList(Affine(block.linear) for block in encoder.fsmn)
        self.affine: Any = nn.ModuleList(Affine(block.affine) for block in encoder.fsmn)
        self.out_of = Affine(encoder.out_linear1, encoder.out_linear2)
        convolutions = [block.fsmn_block.conv_left for block in encoder.fsmn]
        taps = torch.stack([convolution.weight[..., 0] for convolution in convolutions]).detach()
        taps[..., -1] += 1  # the frame's own part
        self.taps: Tensor
        self.register_buffer("taps", taps)  # (layers, width, 1, order)
        self.dilation = convolutions[0].dilation[0]
        self.silence = list(silence)
        past = (taps.shape[-1] - 1) * self.dilation
        self.memory_shape = (len(taps), taps.shape[1], past)

    def forward(self, features: Tensor, memory: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """
        Args:
            features: Normalised, float32, shape (batch, t, 400).
            memory: Inputs of the memory blocks before, float32, shape (layers, batch, width, past).
            there: 1 for frames, 0 for those before the start of a stream, float32, shape (batch, t).

        Returns:
            Speech probabilities, shape (batch, t), and the memory after the last frame.
        """
        x = torch.relu(self.into(features))
        kept = []
        layers = zip(memory, self.project, self.affine, self.taps, strict=True)
        for past, project, affine, taps in layers:
            inputs = torch.cat((past, (project(x) * there[..., None]).mT), dim=2)  # (batch, width, past + t)
            kept.append(inputs[..., -past.shape[-1] :])
            remembered = functional.conv1d(inputs, taps, dilation=self.dilation, groups=len(taps))
            x = torch.relu(affine(remembered.mT))
        scores = torch.softmax(self.out_of(x), dim=-1)
        return 1 - scores[..., self.silence].sum(-1), torch.stack(kept)


class Affine(nn.Module):
    """FunASR's transforms one after the other as one, its matrix turned: a few rows multiply faster so."""

    def __init__(self, *transforms: Any) -> None:
        super().__init__()
        linears = [transform.linear for transform in transforms]
        weight = torch.eye(linears[0].in_features, dtype=torch.float64)
        bias = torch.zeros(linears[0].in_features, dtype=torch.float64)
        for linear in linears:
            turned = linear.weight.detach().double().T
            weight, bias = weight @ turned, bias @ turned
            if linear.bias is not None:
                bias += linear.bias.detach().double()
        self.weight: Tensor
        self.bias: Tensor
        self.register_buffer("weight", weight.float().contiguous())
        self.register_buffer("bias", bias.float())

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x.flatten(0, 1), self.weight).view(*x.shape[:2], -1)
