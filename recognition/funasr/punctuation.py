"""Punctuation: CT-Transformer over the words of whole utterances, all in one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import torch
from torch import Tensor

from recognition.core.text import SENTENCE_ENDS
from recognition.core.words import load, word_ends, words
from recognition.exceptions import ModelError

from .loading import ModelDirectory, load_model
from .precision import Precision
from .sanm import position_encoding

_MARKS = {
    "，": "，",
    ",": "，",
    "。": "。",
    ".": "。",
    "？": "？",
    "?": "？",
    "、": "、",
    "！": "！",
    "!": "！",
}
_NO_MARK = ("_", "<unk>", "")


class CtPunctuator:
    """A `Punctuator` on FunASR's CTTransformer.

    An utterance is taken as a whole (FunASR cuts it every twenty words) and ends with a mark that ends a
    sentence, as FunASR's does. No mark lies within a word that the dictionary knows.

    Args:
        directory: Of the model, as on the hub.
        precision: What it computes in, and where.

    Raises:
        ModelError: If the directory does not hold such a model.

    Source: Chen et al., "Controllable Time-Delay Transformer for Real-Time Punctuation Prediction and
        Disfluency Detection", ICASSP 2020.
    """

    def __init__(self, directory: ModelDirectory, *, precision: Precision | None = None) -> None:
        model = load_model(directory, ["CTTransformer"])
        precision = (precision or Precision()).for_model(model)
        self._device = precision.device
        self._embed = model.embed  # stays in the file: few of its rows are ever read
        self._encoder = precision.offline_encoder(model.encoder)
        self._decoder = model.decoder.to(self._device)
        self._scale = model.encoder.output_size() ** 0.5
        self._marks = [_mark(name, directory.path) for name in model.punc_list]
        self._sentence_end = self._marks[model.sentence_end_id]
        self._ids = {token: number for number, token in enumerate(directory.tokens)}
        self._unknown = self._ids.get("<unk>", len(self._ids) - 1)
        dictionary = directory.files.get("words")
        self._cut = load(dictionary).cut if dictionary else None

    @torch.inference_mode()
    def punctuate(self, batch: Sequence[Sequence[str]]) -> list[list[str]]:
        """The mark after each token of each utterance: "" for none, else one of "，。？、！"."""
        units = [self._units(tokens) for tokens in batch]
        spoken = [row for row, (ids, _) in enumerate(units) if ids]
        result: list[list[str]] = [[""] * len(tokens) for tokens in batch]
        if not spoken:
            return result
        encodings = self._encoder.encode([self._inputs(units[row][0]) for row in spoken])
        for row, encoding in zip(spoken, encodings, strict=True):
            marks = self._decoder(encoding).argmax(-1).tolist()
            ends = word_ends(batch[row])
            for last, mark in zip(units[row][1], marks, strict=True):
                result[row][last] = self._marks[mark] if ends[last] else ""
            if result[row][-1] not in SENTENCE_ENDS:
                result[row][-1] = self._sentence_end
        return result

    def _inputs(self, ids: list[int]) -> Tensor:
        """Scaled embeddings with their position, shape (units, width)."""
        x: Tensor = self._embed(torch.tensor(ids)) * self._scale
        return (x + position_encoding(len(ids), x.shape[-1])).to(self._device)

    def _units(self, tokens: Sequence[str]) -> tuple[list[int], list[int]]:
        """Ids of what the network reads, and the number of the token that each ends with."""
        units = words(tokens, self._cut) if self._cut else [(token, 1) for token in tokens]
        ids = [self._ids.get(word, self._ids.get(word.lower(), self._unknown)) for word, _ in units]
        return ids, [end - 1 for end in accumulate(length for _, length in units)]


def _mark(name: str, path: Path) -> str:
    if name in _NO_MARK:
        return ""
    try:
        return _MARKS[name]
    except KeyError:
        raise ModelError(f"{path} has a punctuation mark {name!r} that is not supported") from None
