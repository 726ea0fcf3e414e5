"""The second pass: Fun-ASR-Nano, a language model that is given speech and writes what was said.

In float32 the words of an utterance are those of `AutoModel.generate` on it alone, whatever it is batched
with.
Source: An et al., "Fun-ASR Technical Report", 2025.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from recognition.audio import SAMPLE_RATE
from recognition.hotwords import Hotwords
from recognition.interfaces import Samples, SessionContext, Span, Tags, Token
from recognition.sounding_hotwords import Compiled

from . import alignment, ctc, rich_text
from .encoder_inputs import EncoderInputs
from .features import FIRST_INPUT, FRAME_LENGTH, SAMPLES_PER_INPUT, load_recognizer_cmvn
from .loading import ModelDirectory, load_model
from .offline import micro_batches
from .precision import Precision
from .sensevoice import halves

LANGUAGES = {"zh": "中文", "en": "英文", "ja": "日文"}
"""As the model is asked for them."""

MAX_PROMPTED = 50
"""Hotwords that it is asked for at most; those that weigh the most."""

_TOKENS_PER_S, _MORE_TOKENS = 12, 16
"""It writes at most so many: in noise a language model may not find an end."""

_BEFORE = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
_AFTER = "<|im_end|>\n<|im_start|>assistant\n"
_NO_THOUGHT = "<think>\n\n</think>\n\n"

_TAG = re.compile(r"<\|[^|]*\|>|/sil")


class FunAsrNano:
    """An `OfflineRecognizer` on FunASR's FunASRNano.

    Args:
        directory: Of the model, as on the hub, its language model's configuration and tokens in a folder.
        precision: What it computes in, and where. The language model is in 8 bits only if they are asked for.
        languages: Codes of what is spoken. One that the session has is asked for, or the only one.
        hotwords: Whether they are written for what sounds like them, or the model is asked for them.

    Raises:
        ModelError: If the directory does not hold such a model.
    """

    min_samples = 0

    def __init__(
        self,
        directory: ModelDirectory,
        *,
        precision: Precision | None = None,
        languages: Collection[str] = tuple(LANGUAGES),
        hotwords: Literal["sound", "prompt"] = "sound",
    ) -> None:
        model = load_model(directory, ["FunASRNano"])
        precision = precision or Precision()
        self.languages = tuple(languages)
        self._device = precision.device
        encoding = precision.for_model(model.audio_encoder)
        self._encoders = [encoding.offline_encoder(half) for half in halves(model.audio_encoder)]
        self._adaptor = model.audio_adaptor.to(self._device)
        self._is_rare = bool(model.use_low_frame_rate)
        cmvn = load_recognizer_cmvn(directory.files["cmvn"]) if "cmvn" in directory.files else None
        self._inputs = EncoderInputs(model.audio_encoder.output_size(), self._device, cmvn)
        self._llm = precision.language_model(model.llm)
        self._tokenizer = _tokenizer(directory)
        self._ask = type(model).get_prompt
        thinks = (directory.config.get("dataset_conf") or {}).get("do_think", True)
        self._after = self._embedded(_AFTER if thinks else _AFTER + _NO_THOUGHT)
        self._ctc = _Ctc(model, self._device) if model.ctc_decoder else None
        self._prompts_hotwords = hotwords == "prompt"
        self._hotwords = Compiled()

    @torch.inference_mode()
    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        """The words of each utterance, with marks, and when they were said.

        An utterance shorter than one frame of 25 ms has none.
        """
        contexts = contexts or [SessionContext() for _ in batch]
        words: list[list[Token]] = [[] for _ in batch]
        lengths = {row: len(audio) for row, audio in enumerate(batch) if len(audio) >= FRAME_LENGTH}
        for rows in micro_batches(lengths):
            encodings = [self._inputs(batch[row]) for row in rows]
            for encoder in self._encoders:
                encodings = encoder.encode(encodings)
            prompts = [
                self._prompt(encoding, contexts[row]) for row, encoding in zip(rows, encodings, strict=True)
            ]
            texts = self._written(prompts, [lengths[row] for row in rows])
            for row, encoding, text in zip(rows, encodings, texts, strict=True):
                words[row] = self._words(text, encoding, batch[row], contexts[row])
        return words

    def _prompt(self, encoding: Tensor, context: SessionContext) -> Tensor:
        """Return the question with the speech in it, as the language model reads it, shape (n, width)."""
        language = self._language(context)
        words = self._prompted(context.hotwords)
        question = self._ask(None, words, LANGUAGES.get(language), itn=False)
        adapted = self._adaptor(encoding[None], torch.tensor([len(encoding)], device=self._device))[0][0]
        speech = adapted[: speech_tokens(len(encoding)) if self._is_rare else len(encoding)]
        before = self._embedded(_BEFORE + question)
        return torch.cat((before, speech.to(before.dtype), self._after))

    def _language(self, context: SessionContext) -> str:
        if context.language in self.languages:
            return context.language
        return self.languages[0] if len(self.languages) == 1 else ""

    def _prompted(self, hotwords: Hotwords | None) -> list[str]:
        if not (self._prompts_hotwords and hotwords):
            return []
        heaviest = sorted(hotwords.words, key=lambda word: -word.weight)
        return [word.text for word in heaviest[:MAX_PROMPTED]]

    def _embedded(self, text: str) -> Tensor:
        ids = torch.tensor(self._tokenizer.encode(text), device=self._device)
        embedded: Tensor = self._llm.get_input_embeddings()(ids)
        return embedded

    def _written(self, prompts: Sequence[Tensor], lengths: Sequence[int]) -> list[str]:
        """Return what the language model answers to each.

        Args:
            lengths: Of the utterances, in samples.
        """
        longest = max(len(prompt) for prompt in prompts)
        mask = torch.zeros(len(prompts), longest, dtype=torch.long, device=self._device)
        inputs = prompts[0].new_zeros(len(prompts), longest, prompts[0].shape[1])
        for row, prompt in enumerate(prompts):
            inputs[row, longest - len(prompt) :] = prompt
            mask[row, longest - len(prompt) :] = 1
        limits = [_MORE_TOKENS + _TOKENS_PER_S * length // SAMPLE_RATE for length in lengths]
        config = self._llm.config
        answers = self._llm.generate(
            inputs_embeds=inputs,
            attention_mask=mask,
            max_new_tokens=max(limits),
            do_sample=False,
            pad_token_id=config.eos_token_id if config.pad_token_id is None else config.pad_token_id,
        )
        cut = [answer[:limit] for answer, limit in zip(answers.tolist(), limits, strict=True)]
        decoded = self._tokenizer.batch_decode(cut, skip_special_tokens=True)
        return [" ".join(_TAG.sub(" ", text).split()) for text in decoded]

    def _words(self, text: str, encoding: Tensor, audio: Samples, context: SessionContext) -> list[Token]:
        times = self._ctc.times(text, encoding, len(audio)) if self._ctc and text else None
        spans = times or alignment.by_sound(text, audio)
        tags = Tags(language=self._language(context))
        found = rich_text.words(text.replace(" ", rich_text.SPACE), spans, tags)
        return self._hotwords.written(found, None if self._prompts_hotwords else context.hotwords)


class _Ctc:
    """The part of the model that tells when tokens were said; some releases lack it."""

    def __init__(self, model: Any, device: torch.device) -> None:
        self._decoder, self._output = model.ctc_decoder.to(device), model.ctc.ctc_lo.to(device)
        self._encoding = model.ctc_tokenizer.encoding
        self._blank = int(model.blank_id)

    def times(self, text: str, encoding: Tensor, length: int) -> list[Span] | None:
        """Return the samples of each character; None where it cannot tell."""
        hidden = self._decoder(encoding[None], torch.tensor([len(encoding)], device=encoding.device))[0][0]
        scores = torch.log_softmax(self._output(hidden), dim=-1).cpu().numpy()
        targets = self._encoding.encode(text, disallowed_special=())
        path = alignment.forced_path(scores, targets, blank=self._blank)
        if path is None:
            return None
        said = ctc.pieces(path, blank=self._blank)
        frames = np.array([(piece.start, piece.end) for piece in said], int)
        bounds = (frames * SAMPLES_PER_INPUT + FIRST_INPUT).clip(0, length)
        tokens = [self._encoding.decode_single_token_bytes(token) for token in targets]
        return alignment.of_characters(text, tokens, [(start, end) for start, end in bounds.tolist()])


def speech_tokens(inputs: int) -> int:
    """Return how many of the adaptor's outputs the language model is given: an eighth, rounded up.

    Source: FunASR, `fun_asr_nano/model.py`, `use_low_frame_rate`.
    """
    return -(-inputs // 8)


def _tokenizer(directory: ModelDirectory) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(directory.language_model, local_files_only=True)
