"""A network that hears what it is told to, and a vocabulary of single bytes: Whisper without its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import BPE

from recognition.whisper.network import Hypothesis, Search
from recognition.whisper.vocabulary import _BYTES

SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|zh|>",
    "<|en|>",
    "<|transcribe|>",
    "<|notimestamps|>",
    "<|startofprev|>",
]


def write_tokens(file: Path) -> Path:
    """Write the tokens of all bytes, and those of a multilingual Whisper that are no text."""
    tokenizer = Tokenizer(BPE(vocab=_BYTES, merges=[]))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(file))
    return file


def ids(text: str) -> list[int]:
    return list(text.encode())


@dataclass
class ScriptedNetwork:
    """Hears one text after the other, and what it was asked for."""

    texts: list[str]
    """Those that are equally likely with "|" between them."""

    log_probabilities: list[float] = field(default_factory=list)
    no_speech: float = 0.0
    probabilities: dict[str, float] = field(default_factory=lambda: {"zh": 0.9, "en": 0.1})
    windows: list[tuple[int, int]] = field(default_factory=list)
    """Utterances and frames of each batch."""

    asked: list[tuple[list[int], Search, int]] = field(default_factory=list)
    drafts: list[list[list[int]]] = field(default_factory=list)
    language_questions: int = 0

    def encode(self, features: Sequence[np.ndarray]) -> Any:
        self.windows.append((len(features), features[0].shape[1]))
        return len(features)

    def decode(
        self,
        encoded: Any,
        prompts: Sequence[Sequence[int]],
        search: Search,
        *,
        max_tokens: int,
        drafts: Sequence[Sequence[int]] = (),
    ) -> list[list[Hypothesis]]:
        self.asked.append((list(prompts[0]), search, max_tokens))
        self.drafts.append([list(draft) for draft in drafts])
        return [self._next() for _ in prompts]

    def align(
        self, encoded: Any, start: Sequence[int], hypotheses: Sequence[Hypothesis], frames: Sequence[int]
    ) -> list[list[tuple[int, int]]]:
        """One frame after the other."""
        return [[(number, number) for number in range(len(each.ids) + 1)] for each in hypotheses]

    def languages(self, encoded: Any) -> list[dict[str, float]]:
        self.language_questions += 1
        return [self.probabilities]

    def _next(self) -> list[Hypothesis]:
        sure = self.log_probabilities.pop(0) if self.log_probabilities else -0.2
        texts = self.texts.pop(0).split("|")
        return [Hypothesis([*ids(text), 256], sure, self.no_speech) for text in texts]


def languages_of(prompts: Sequence[tuple[list[int], Search, int]]) -> list[str]:
    """The language of each time that text was asked for."""
    return [SPECIAL[prompt[1] - 256].strip("<|>") for prompt, _, _ in prompts]
