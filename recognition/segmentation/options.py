"""Options of pyannote's segmentation; what computes it comes in when it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from recognition.interfaces import SpeakerSegmenter
from recognition.model_options import LoadContext, ModelOptions

if TYPE_CHECKING:
    from recognition.funasr.precision import Precision

    from .segmenter import Network


@dataclass(frozen=True, slots=True)
class PyannoteOptions(ModelOptions):
    """segmentation-3.0, from the file that pyannote publishes."""

    weights: ClassVar[str] = "pytorch_model.bin"
    wanted_files: ClassVar[tuple[str, ...]] = (weights,)

    @classmethod
    def is_complete(cls, directory: Path) -> bool:
        """Return whether the weights are there."""
        return (directory / cls.weights).is_file()

    def load(self, context: LoadContext) -> SpeakerSegmenter:
        from .segmenter import PyannoteSegmenter, read_network

        precision = _precision(context)
        network, model_id = read_network(context.directory / self.weights)
        own: Network | None = None
        if precision.kind == "int8" or precision.is_automatic:
            from .int8.network import Int8Network, is_supported  # brings a compiler along

            own = Int8Network(network) if precision.device.type == "cpu" and is_supported() else None
        device = str(precision.device)
        return PyannoteSegmenter(own or network.to(precision.device), model_id, device)

    def device(self, context: LoadContext) -> str:
        return str(_precision(context).device.type)


def _precision(context: LoadContext) -> Precision:
    import torch

    from recognition.funasr.precision import choose

    torch.set_num_threads(1)  # all models run on one thread, batch after batch
    return choose(context.compute_type, context.device)
