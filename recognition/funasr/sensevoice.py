"""The second pass: SenseVoice over whole utterances, its words with marks, and how they sound.

In float32 the pieces of an utterance are those of `AutoModel.generate` on it alone, whatever it is batched
with.
Source: An et al., "FunAudioLLM: Voice Understanding and Generation Foundation Models", 2024.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recognition.audio import samples
from recognition.interfaces import Samples, SessionContext, Span, Token
from recognition.sounding_hotwords import Compiled

from . import ctc, rich_text
from .encoder_inputs import EncoderInputs
from .features import FIRST_INPUT, FRAME_LENGTH, SAMPLES_PER_INPUT, load_recognizer_cmvn
from .loading import ModelDirectory, load_model
from .offline import micro_batches
from .precision import Precision

_ANY_LANGUAGE = 0
_EMOTION_AND_EVENT = (1, 2)
_WITH_MARKS = 14
"""Rows of the embedding that ask for something; the languages' are in the network's `lid_dict`."""

_QUESTIONS = 4
"""Inputs before the audio, each answered by a tag in its place."""

_SURE_OF_LANGUAGE = samples(2.0)
"""A shorter utterance does not settle the language of its session."""


class SenseVoice:
    """An `OfflineRecognizer` on FunASR's SenseVoiceSmall.

    Args:
        directory: Of the model, as on the hub.
        precision: What it computes in, and where.
        languages: Codes of what is spoken. If there are several, it is found out.

    Raises:
        ModelError: If the directory does not hold such a model.
    """

    min_samples = 0

    def __init__(
        self,
        directory: ModelDirectory,
        *,
        precision: Precision | None = None,
        languages: Collection[str] = rich_text.LANGUAGES,
    ) -> None:
        model = load_model(directory, ["SenseVoiceSmall"])
        precision = (precision or Precision()).for_model(model)
        self.languages = tuple(languages)
        self._pieces = directory.tokens
        self._device = precision.device
        self._encoders = [precision.offline_encoder(part) for part in halves(model.encoder)]
        self._output = model.ctc.ctc_lo.to(self._device)
        self._embed = model.embed.weight.to(self._device)
        self._rows = model.lid_dict
        self._blank = int(model.blank_id)
        cmvn = load_recognizer_cmvn(directory.file("cmvn"))
        self._inputs = EncoderInputs(model.encoder.output_size(), self._device, cmvn)
        self._hotwords = Compiled()

    @torch.inference_mode()
    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        """The words of each utterance, when they were said and how they sound; none where nobody speaks.

        An utterance shorter than one frame of 25 ms has none.
        """
        contexts = contexts or [SessionContext() for _ in batch]
        words: list[list[Token]] = [[] for _ in batch]
        lengths = {row: len(audio) for row, audio in enumerate(batch) if len(audio) >= FRAME_LENGTH}
        for rows in micro_batches(lengths):
            encodings = [self._inputs(batch[row], self._questions(contexts[row])) for row in rows]
            for encoder in self._encoders:
                encodings = encoder.encode(encodings)
            for row, encoding in zip(rows, encodings, strict=True):
                words[row] = self._words(encoding, len(batch[row]), contexts[row])
        return words

    def _language(self, context: SessionContext) -> str:
        """Return the language of a session, empty if it is not known yet."""
        if context.language in self.languages:
            return context.language
        return self.languages[0] if len(self.languages) == 1 else ""

    def _questions(self, context: SessionContext) -> Tensor:
        """Return the inputs that ask for what stands before the words, shape (4, 560)."""
        language = self._rows.get(self._language(context), _ANY_LANGUAGE)
        questions: Tensor = self._embed[[language, *_EMOTION_AND_EVENT, _WITH_MARKS]]
        return questions

    def _words(self, encoding: Tensor, length: int, context: SessionContext) -> list[Token]:
        path = self._output(encoding).argmax(-1).cpu().numpy()
        said = ctc.pieces(path, blank=self._blank)
        written = [self._pieces[piece.id] for piece in said]
        tags = rich_text.tags(written)
        if not rich_text.is_speech(written):
            return []
        if len(self.languages) == 1:
            tags = replace(tags, language=self.languages[0])
        if not context.language and tags.language in self.languages and length >= _SURE_OF_LANGUAGE:
            context.language = tags.language
        found = rich_text.words(written, _spans(said, length), tags)
        return self._hotwords.written(found, context.hotwords)


def halves(encoder: Any) -> list[Any]:
    """Return the two halves of a `SenseVoiceEncoderSmall`, each in the form of FunASR's `SANMEncoder`."""
    first = SimpleNamespace(
        encoders0=encoder.encoders0, encoders=encoder.encoders, after_norm=encoder.after_norm
    )
    second = SimpleNamespace(encoders0=[], encoders=encoder.tp_encoders, after_norm=encoder.tp_norm)
    for half in (first, second):
        half.output_size = encoder.output_size
    return [first, second]


def _spans(said: Sequence[ctc.Piece], length: int) -> list[Span]:
    """Return the samples of each piece; those that answer questions come before the audio."""
    frames = np.array([(piece.start, piece.end) for piece in said], int).reshape(-1, 2) - _QUESTIONS
    bounds = (frames * SAMPLES_PER_INPUT + FIRST_INPUT).clip(0, length)
    return [(start, end) for start, end in bounds.tolist()]
