"""The second pass: Paraformer over whole utterances, those of similar length together.

In float32 the tokens of an utterance are those of `AutoModel.generate` on it alone, whatever it is
batched with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from recognition.interfaces import Samples, SessionContext, Token
from recognition.language_model import CHOICES, Choices, LanguageModel

from . import cif, seaco
from .deciding import TokenDecider
from .encoder_inputs import EncoderInputs
from .features import FIRST_INPUT, FRAME_LENGTH, SAMPLES_PER_INPUT, load_recognizer_cmvn
from .loading import ModelDirectory, load_model
from .precision import Precision
from .spelling import Spelling
from .vocabulary import Vocabulary, join_words

_MAX_INPUTS = 1024
"""Padded inputs in one forward pass, a minute of audio: more would only hold others up."""


class OfflineParaformer:
    """An `OfflineRecognizer` on FunASR's Paraformer, BiCifParaformer or SeacoParaformer.

    Args:
        directory: Of the model, as on the hub.
        precision: What it computes in, and where.
        language_model: What people are likely to say, if that is known.
        hotwords: Whether they are weighed by us, "lattice", or heard by the model's own decoder, "seaco".

    Raises:
        ModelError: If the directory does not hold such a model.
    """

    min_samples = 0

    def __init__(
        self,
        directory: ModelDirectory,
        *,
        precision: Precision | None = None,
        language_model: LanguageModel | None = None,
        hotwords: Literal["lattice", "seaco"] = "lattice",
    ) -> None:
        has_own = hotwords == "seaco"
        supported = ["SeacoParaformer"] if has_own else ["Paraformer", "BiCifParaformer", "SeacoParaformer"]
        model = load_model(directory, supported, needs=seaco.WEIGHTS if has_own else ())
        precision = (precision or Precision()).for_model(model)
        self._device = precision.device
        self._encoder = precision.offline_encoder(model.encoder)
        self._weigh = precision.frame_weights(model.predictor)
        self.vocabulary = Vocabulary(directory.tokens, {model.blank_id, model.sos, model.eos})
        self.decider = TokenDecider(self.vocabulary, language_model)
        self._decoder = precision.offline_decoder(model.decoder, choices=CHOICES)
        self._seaco: seaco.SeacoHotwords | None = None
        if has_own:
            spelling = Spelling(self.vocabulary.tokens)
            self._seaco = seaco.SeacoHotwords(model, directory, spelling, self._device)
        self._tail = float(model.predictor.tail_threshold)
        # FunASR's third predictor adds up in single precision, the second in double.
        self._single_precision = directory.config["predictor"] == "CifPredictorV3"
        cmvn = load_recognizer_cmvn(directory.file("cmvn"))
        self._inputs = EncoderInputs(model.encoder.output_size(), self._device, cmvn)

    @torch.inference_mode()
    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        """The words of each utterance and when they were said.

        An utterance shorter than one frame of 25 ms has none.
        """
        words: list[list[Token]] = [[] for _ in batch]
        lengths = {i: len(samples) for i, samples in enumerate(batch) if len(samples) >= FRAME_LENGTH}
        for rows in micro_batches(lengths):
            features = [self._inputs(batch[row]) for row in rows]
            own = [contexts[row] if contexts else None for row in rows]
            for row, found in zip(rows, self._recognize(features, own), strict=True):
                words[row] = found
        return words

    def _recognize(
        self, features: list[Tensor], contexts: Sequence[SessionContext | None]
    ) -> list[list[Token]]:
        encodings = self._encoder.encode(features)
        spoken = [self._share_out(weights) for weights in self._weigh.weigh(encodings)]
        tokens: list[list[Token]] = [[] for _ in features]
        rows = [row for row, utterance in enumerate(spoken) if len(utterance.shares)]
        if not rows:
            return tokens
        embeddings = [
            # The tail stands after the last frame and holds nothing.
            torch.from_numpy(spoken[row].shares[:, : len(encodings[row])]).to(self._device) @ encodings[row]
            for row in rows
        ]
        found = self._decoder.decode_with_hidden(embeddings, [encodings[row] for row in rows])
        for row, embedding, choices, hidden in zip(rows, embeddings, *found, strict=True):
            ids = self._choose(choices, embedding, hidden, contexts[row])
            words = self._words(ids, spoken[row])
            tokens[row] = with_capitals(words, contexts[row])
        return tokens

    def _choose(
        self, choices: Choices, embedding: Tensor, hidden: Tensor, context: SessionContext | None
    ) -> list[int]:
        if self._seaco and context and context.hotwords:
            heard = self._seaco.hear(choices, embedding, hidden, context.hotwords)
            return self.decider.choose(heard, None, is_end=True)
        return self.decider.choose(choices, context, is_end=True)

    def _share_out(self, weights: np.ndarray) -> cif.TokenSpans:
        with_tail = np.append(weights, np.float32(self._tail)) if self._tail > 0 else weights
        total = float(torch.from_numpy(with_tail).sum())
        count = int(np.floor(total)) if self._tail > 0 else round(total)
        return cif.share_out(with_tail, count=count, single_precision=self._single_precision)

    def _words(self, ids: list[int], utterance: cif.TokenSpans) -> list[Token]:
        end = (utterance.shares.shape[1]) * SAMPLES_PER_INPUT
        bounds = np.rint(utterance.bounds * SAMPLES_PER_INPUT + FIRST_INPUT).clip(0, end).astype(int)
        return join_words(self.vocabulary.pieces(ids), [(start, stop) for start, stop in bounds.tolist()])


def with_capitals(words: list[Token], context: SessionContext | None) -> list[Token]:
    """Return words as the session's hotwords write them: the vocabulary has no capitals."""
    if not (context and context.hotwords):
        return words
    written = context.hotwords.with_capitals([word.text for word in words])
    return [replace(word, text=text) for word, text in zip(words, written, strict=True)]


def micro_batches(lengths: dict[int, int]) -> Iterator[list[int]]:
    """Utterances by length, so many at a time that padding stays small and no pass gets long.

    Args:
        lengths: Samples of each utterance, by its number.
    """
    batch: list[int] = []
    for row in sorted(lengths, key=lambda row: lengths[row]):
        longest = lengths[row] // SAMPLES_PER_INPUT + 1
        if batch and (
            longest * (len(batch) + 1) > _MAX_INPUTS or lengths[row] > 1.25 * lengths[batch[0]] + 8000
        ):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
