"""Compute types and devices of the networks: float32, half precision, or 8-bit integers; CPU or CUDA."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from recognition.exceptions import ModelError

from . import sanm
from .campplus_head import HeadedNetwork
from .fsmn import FsmnNetwork
from .sanm import Geometry

COMPUTE_TYPES = ("auto", "float32", "bfloat16", "float16", "int8")

_LARGE = 6_000_000
"""Parameters from which on a network gains from 8 bits; the models of the hub have more, but for the VAD."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Builds the networks from FunASR's modules, to compute in `kind` on `device`."""

    kind: str = "float32"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    is_automatic: bool = False
    """Whether large networks on a CPU compute in 8 bits if it can."""

    def for_model(self, model: nn.Module) -> Precision:
        """The precision for this model: in a small one 8 bits gain nothing that is worth compiling for."""
        size = sum(parameter.numel() for parameter in model.parameters())
        if self.is_automatic and self.device.type == "cpu" and size >= _LARGE and _has_int8():
            return Precision("int8", self.device)
        return self

    def streaming_encoder(self, encoder: Any, predictor: Any, geometry: Geometry) -> Any:
        if self.kind == "int8":
            from .int8 import networks

            return networks.StreamingEncoder(encoder, predictor, geometry)
        return self._placed(sanm.StreamingEncoder(encoder, predictor, geometry))

    def streaming_decoder(self, decoder: Any, geometry: Geometry, *, choices: int) -> Any:
        if self.kind == "int8":
            from .int8 import networks

            return networks.StreamingDecoder(decoder, geometry, choices=choices)
        return self._placed(sanm.StreamingDecoder(decoder, geometry, choices=choices))

    def offline_encoder(self, encoder: Any) -> Any:
        if self.kind == "int8":
            from .int8 import networks

            return networks.OfflineEncoder(encoder)
        return self._placed(sanm.OfflineEncoder(encoder))

    def offline_decoder(self, decoder: Any, *, choices: int) -> Any:
        if self.kind == "int8":
            from .int8 import networks

            return networks.OfflineDecoder(decoder, choices=choices)
        return self._placed(sanm.OfflineDecoder(decoder, choices=choices))

    def language_model(self, model: Any) -> Any:
        """A causal language model of `transformers`.

        In 8 bits only if these are asked for: what they lose was never measured on real weights.
        """
        if self.kind == "int8":
            from .int8 import language_model

            return language_model.quantized(model)
        return model.to(self.device, getattr(torch, self.kind))

    def frame_weights(self, predictor: Any) -> Any:
        if self.kind == "int8":
            from .int8 import networks

            return networks.FrameWeights(predictor)
        # Small errors add up in the weights: they are computed in single precision always.
        return sanm.FrameWeights(predictor).to(self.device)

    def speech_network(self, network: FsmnNetwork) -> Any:
        """The same function: compiled where the large networks beside it bring a compiler along."""
        if self.device.type == "cpu" and (self.kind == "int8" or (self.is_automatic and _has_int8())):
            from .int8 import fsmn

            if fsmn.is_supported():
                return fsmn.CompiledFsmn(network)
        return network.to(self.device)

    def speaker_network(self, model: Any) -> Any:
        """A function from features, shape (1, frames, 80), or more of one length, to embeddings.

        One with `parts` computes once what overlapping parts of a recording share; see `CampPlus.parts`.
        """
        if type(model).__name__ == "CAMPPlus" and self.device.type == "cpu":
            if self.kind == "int8":
                from recognition.funasr.int8.campplus import CampPlus

                return CampPlus(model)
            if self.is_automatic:
                return HeadedNetwork(model)
        # In float32: it is small, and voices are told apart by small differences.
        return model.to(self.device)

    def _placed(self, module: sanm.Network) -> sanm.Network:
        return module.placed(self.device, getattr(torch, self.kind))


def choose(compute_type: str, device: str) -> Precision:
    """The precision for large networks on this machine.

    Args:
        compute_type: One of `COMPUTE_TYPES`; "auto" takes half precision on CUDA, 8-bit integers on CPUs that
            have them.
        device: "auto", "cpu" or "cuda".

    Raises:
        ModelError: If one is unknown, or does not exist here.
    """
    if compute_type not in COMPUTE_TYPES:
        raise ModelError(f"there is no compute type {compute_type!r}; known are {', '.join(COMPUTE_TYPES)}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("there is no CUDA device for the models; set the device to cpu or auto")
    place = torch.device(device)
    if place.type == "cuda":
        if compute_type == "int8":
            raise ModelError("8-bit integers are for CPUs; on CUDA take float16 or auto")
        return Precision("float16" if compute_type == "auto" else compute_type, place)
    if compute_type == "int8" and not _has_int8():
        raise ModelError("this CPU or this build of torch has no 8-bit products; take float32 or auto")
    if compute_type == "auto":
        return Precision("float32", place, is_automatic=True)
    return Precision(compute_type, place)


def _has_int8() -> bool:
    from recognition.int8 import products  # brings a compiler along, which small networks do without

    return products.is_supported()
