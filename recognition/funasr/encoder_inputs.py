"""Audio as encoders of whole utterances take it: normalised features, scaled, with their positions."""

from __future__ import annotations

import torch
from torch import Tensor

from recognition.interfaces import Samples

from .features import INPUT, Cmvn, recognizer_frames, stack_frames
from .sanm import position_encoding


class EncoderInputs:
    """Makes the inputs of an encoder; of a recogniser's thread.

    Args:
        width: Of the encoder, by whose root features are scaled.
        device: Where they are computed.
        cmvn: Normalisation of the features; some models have none.
    """

    def __init__(self, width: int, device: torch.device, cmvn: Cmvn | None = None) -> None:
        self._scale, self._device, self._cmvn = width**0.5, device, cmvn
        self._positions = position_encoding(1024, INPUT).to(device)

    def __call__(self, audio: Samples, questions: Tensor | None = None) -> Tensor:
        """Return inputs of 60 ms, float32, shape (n, 560).

        Args:
            audio: At least one frame of 25 ms.
            questions: Inputs to put before those of the audio, float32, shape (m, 560).
        """
        frames = recognizer_frames(torch.from_numpy(audio)[None].to(self._device))
        inputs = stack_frames(frames, torch.tensor([frames.shape[1]]))[0]
        inputs = self._cmvn(inputs) if self._cmvn else inputs
        if questions is not None:
            inputs = torch.cat((questions, inputs))
        if len(inputs) > len(self._positions):
            self._positions = position_encoding(2 * len(inputs), INPUT).to(self._device)
        placed: Tensor = inputs * self._scale + self._positions[: len(inputs)]
        return placed
