"""A small time-delay network for voices, in FunASR's tables beside CAM++ and with the same interface.

It costs a fifth of CAM++'s precision, which is what lets the embedded one be trained in minutes of a CPU.
Import this module before `funasr.AutoModel` is asked for a directory that configures it.

Source:
    Snyder et al., "X-Vectors: Robust DNN Embeddings for Speaker Recognition", ICASSP 2018; attentive
    statistics after Okabe et al., Interspeech 2018; sums of all blocks after Desplanques et al.,
    "ECAPA-TDNN", Interspeech 2020.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .loading import lean_import

with lean_import():
    from funasr.register import tables


@tables.register("model_classes", "TdnnXvector")
class TdnnXvector(nn.Module):
    """Speaker embeddings of log mel energies whose mean over time is zero.

    Args:
        feat_dim: Mel bands.
        channels: Width of the time-delay layers.
        embedding_size: Numbers in an embedding.
        dilations: Of the residual time-delay layers, three frames each.
        attention: Width of the layer that weighs the frames.
    """

    def __init__(
        self,
        feat_dim: int = 80,
        channels: int = 192,
        embedding_size: int = 128,
        dilations: tuple[int, ...] = (2, 3, 4),
        attention: int = 64,
        **_: Any,
    ) -> None:
        super().__init__()
        joined = channels * len(dilations)
        self.first = _layer(feat_dim, channels, kernel=5)
        self.blocks = nn.ModuleList([_layer(channels, channels, kernel=3, dilation=d) for d in dilations])
        self.joint = _layer(joined, joined)
        self.attention = nn.Sequential(
            nn.Conv1d(joined, attention, 1), nn.Tanh(), nn.Conv1d(attention, joined, 1)
        )
        self.pooled_norm = nn.BatchNorm1d(2 * joined)
        self.dense = nn.Linear(2 * joined, embedding_size)
        self.norm = nn.BatchNorm1d(embedding_size, affine=False)

    def forward(self, features: Tensor) -> Tensor:
        """
        Args:
            features: float32, shape (batch, frames, feat_dim), without padding.

        Returns:
            Embeddings of any length, shape (batch, embedding_size).
        """
        hidden = self.first(features.transpose(1, 2))
        outputs = []
        for block in self.blocks:
            hidden = hidden + block(hidden)
            outputs.append(hidden)
        joint = self.joint(torch.cat(outputs, dim=1))
        weights = torch.softmax(self.attention(joint).float(), dim=2)
        joint = joint.float()
        mean = (joint * weights).sum(dim=2)
        variance = (joint.square() * weights).sum(dim=2) - mean.square()
        pooled = torch.cat([mean, variance.clamp(min=1e-5).sqrt()], dim=1)
        embedding: Tensor = self.norm(self.dense(self.pooled_norm(pooled)).float())
        return embedding

    def inference(self, *arguments: Any, **options: Any) -> Any:
        """For `funasr.AutoModel`: as FunASR's CAM++, from audio to embeddings."""
        from funasr.models.campplus.model import CAMPPlus

        return CAMPPlus.inference(self, *arguments, **options)


def _layer(inputs: int, outputs: int, *, kernel: int = 1, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding=padding, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ReLU(),
    )
