"""Whisper in FunASR's tables: `funasr.AutoModel(model=DIRECTORY).generate(...)` by our recogniser.

The directory is that of the weights as CTranslate2 converts them, with `recognition.whisper.funasr_files`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from recognition.audio import SAMPLE_RATE, milliseconds, seconds
from recognition.core import text
from recognition.interfaces import Token
from recognition.model_options import LoadContext
from recognition.whisper.options import WhisperOptions

from .loading import lean_import

with lean_import():
    from funasr.register import tables
    from funasr.utils.load_utils import load_audio_text_image_video


@tables.register("model_classes", "WhisperCTranslate2")
class WhisperCTranslate2(nn.Module):
    """A multilingual Whisper; like FunASR's other recognisers it gives `text` and `timestamp`.

    Args:
        model_path: Directory of the weights.
        languages: Codes of those that are spoken.
        beam: Hypotheses that are followed side by side.
    """

    def __init__(
        self, model_path: str, languages: Sequence[str] = ("zh", "en"), beam: int = 3, **_: Any
    ) -> None:
        super().__init__()
        # FunASR asks a model's parameters where it computes.
        self.place = nn.Parameter(torch.zeros(0), requires_grad=False)
        # FunASR's results have no marks here, and a second decoding would be made for them.
        options = WhisperOptions(tuple(languages), beam, marks=False)
        self._recognizer = options.load(LoadContext(Path(model_path)))

    def inference(
        self, data_in: Any, data_lengths: Any = None, key: Sequence[str] = (), **options: Any
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Recognise whatever FunASR reads as audio."""
        audio = load_audio_text_image_video(
            list(data_in), fs=SAMPLE_RATE, audio_fs=options.get("fs", SAMPLE_RATE)
        )
        batch = [np.asarray(each, np.float32).reshape(-1) for each in audio]
        found = self._recognizer.recognize(batch)
        results = [_result(name, tokens) for name, tokens in zip(key, found, strict=True)]
        return results, {"batch_data_time": seconds(sum(map(len, batch)))}


def _result(key: str, tokens: Sequence[Token]) -> dict[str, Any]:
    return {
        "key": key,
        "text": text.join([token.text for token in tokens]),
        "timestamp": [[milliseconds(token.start), milliseconds(token.end)] for token in tokens],
    }
