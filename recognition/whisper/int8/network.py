"""Whisper on a CPU with 8-bit products of our own: encoder, decoder and search put together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np

from recognition.exceptions import ModelError
from recognition.int8 import matmul_vnni
from recognition.int8.products import Rows, result
from recognition.whisper.network import CONFIG, NAMES, WEIGHTS, Hypothesis, Search, check_files
from recognition.whisper.weights import read_weights

from . import alignment, kernels
from .decoder import Audio, Decoder, Next, Nodes
from .encoder import Encoder
from .search import MAX_TRUSTED, Beam, Branch, Ranked, agreed, mean, rest_of, trusted

_SILENCE = {"<|nospeech|>", "<|nocaptions|>"}
"""Names of the token that says that nobody speaks."""


def is_supported() -> bool:
    """Tell whether this CPU has the products that make it faster than CTranslate2."""
    return matmul_vnni.is_supported()


@dataclass(slots=True)
class Encoded:
    """A batch as it was encoded."""

    encoding: np.ndarray
    audio: Audio


@dataclass(slots=True)
class _Text:
    """A text that is written token by token, along a draft of it.

    Attributes:
        ranked: What may come next, and how likely it is.
    """

    utterance: int
    path: list[int]
    ranked: Ranked
    draft: Sequence[int] = ()
    trusted: int = MAX_TRUSTED
    """Tokens of the draft that are checked in the next step."""

    ids: list[int] = field(default_factory=list)
    total: float = 0.0

    def take(self) -> int:
        """Take the likeliest token, and return it."""
        token, score = self.ranked[0]
        self.ids.append(token)
        self.total += score
        return token


class _Tokens:
    """The tokens that texts of one kind may have.

    Args:
        numbers: The last one ends a text.
        hidden_at_first: Those that a text does not begin with.
    """

    def __init__(self, decoder: Decoder, numbers: np.ndarray, hidden_at_first: Sequence[int]) -> None:
        self.numbers = numbers
        self.columns = {int(number): column for column, number in enumerate(numbers)}
        self.hidden_at_first = np.array(
            [self.columns[number] for number in hidden_at_first if number in self.columns], np.int64
        )
        self._project = decoder.project(numbers)

    def rank(
        self, rows: Rows, said: Sequence[Sequence[int]], penalty: float, *, count: int, is_first: bool = False
    ) -> list[Ranked]:
        """Return the likeliest tokens of each row.

        Args:
            said: Tokens of each row's text.
        """
        ids = np.zeros((len(said), count), np.int64)
        scores = np.full((len(said), count), -np.inf, np.float32)
        hidden = self.hidden_at_first if is_first else self.hidden_at_first[:0]
        kernels.rank(self._project(rows), hidden, self._columns(said), np.float32(penalty), ids, scores)
        return [
            list(zip(numbers.tolist(), own.tolist(), strict=True))
            for numbers, own in zip(self.numbers[ids], scores, strict=True)
        ]

    def _columns(self, said: Sequence[Sequence[int]]) -> np.ndarray:
        longest = max(map(len, said))
        columns = np.full((len(said), longest), -1, np.int64)
        for row, ids in enumerate(said):
            own = {self.columns[number] for number in ids if number in self.columns}
            columns[row, : len(own)] = list(own)
        return columns


class OwnNetwork:
    """A `Network` in 8-bit integers, for CPUs for which `is_supported`.

    Args:
        directory: Holds `network.FILES`.

    Raises:
        ModelError: If a file is missing or damaged.
    """

    def __init__(self, directory: Path) -> None:
        check_files(directory)
        weights = read_weights(directory / WEIGHTS)
        names = (directory / NAMES).read_text(encoding="utf-8").split("\n")
        try:
            config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
            self._suppressed = frozenset(config["suppress_ids"])
            self._hidden_at_first = tuple(config["suppress_ids_begin"])
            self._languages = {int(number): names[number].strip("<|>") for number in config["lang_ids"]}
            self._end, self._start = names.index("<|endoftext|>"), names.index("<|startoftranscript|>")
            self._no_speech = next(map(names.index, _SILENCE & set(names))) - self._end
            self._encoder = Encoder(weights)
            self._decoder = Decoder(weights, [(layer, head) for layer, head in config["alignment_heads"]])
        except (ValueError, KeyError, IndexError, TypeError, StopIteration) as error:
            raise ModelError(
                f"{directory} holds no multilingual Whisper that can be read: {error}"
            ) from error
        self._special = self._decoder.project(np.arange(self._end, self._decoder.tokens))
        self._tokens: dict[frozenset[int], _Tokens] = {}

    def encode(self, features: Sequence[np.ndarray]) -> Encoded:
        encoding = self._encoder.encode(features)
        return Encoded(encoding, self._decoder.listen(encoding))

    def decode(
        self,
        encoded: Encoded,
        prompts: Sequence[Sequence[int]],
        search: Search,
        *,
        max_tokens: int,
        drafts: Sequence[Sequence[int]] = (),
    ) -> list[Hypothesis]:
        nodes, tokens = self._decoder.nodes(), self._wanted(search.suppressed)
        rows, paths = self._decoder.read(
            encoded.audio, nodes, [Next(number, (), prompt) for number, prompt in enumerate(prompts)]
        )
        ends = list(accumulate(map(len, prompts)))
        starts = [
            end - len(prompt) + prompt.index(self._start) for end, prompt in zip(ends, prompts, strict=True)
        ]
        silent = self._after_start(rows.take(starts))[:, self._no_speech]
        count = 2 * search.beam if search.beam > 1 else 1
        first = tokens.rank(
            rows.take([end - 1 for end in ends]), [()] * len(prompts), 1.0, count=count, is_first=True
        )
        if search.beam > 1:
            branches = [
                [(Branch(path=tuple(path)), ranked)] for path, ranked in zip(paths, first, strict=True)
            ]
            found = self._followed(encoded.audio, nodes, tokens, branches, search, max_tokens)
        else:
            texts = [
                _Text(number, path, ranked, draft)
                for number, (path, ranked, draft) in enumerate(
                    zip(paths, first, drafts or [()] * len(prompts), strict=True)
                )
            ]
            found = self._written(encoded.audio, nodes, tokens, texts, search, max_tokens)
        return [
            self._hypothesis(branch, nodes, len(prompt), float(doubt))
            for branch, prompt, doubt in zip(found, prompts, silent, strict=True)
        ]

    def align(
        self, encoded: Encoded, start: Sequence[int], hypotheses: Sequence[Hypothesis], frames: Sequence[int]
    ) -> list[list[tuple[int, int]]]:
        return [
            alignment.path(each.watching[: len(each.ids) + 1, :, : count // 2]) if each.ids else []
            for each, count in zip(hypotheses, frames, strict=True)
        ]

    def languages(self, encoded: Encoded) -> list[dict[str, float]]:
        start = [Next(number, (), [self._start]) for number in range(len(encoded.encoding))]
        rows, _ = self._decoder.read(encoded.audio, self._decoder.nodes(), start)
        places = [number - self._end for number in self._languages]
        probabilities = self._after_start(rows)[:, places]
        return [
            dict(zip(self._languages.values(), (own / own.sum()).tolist(), strict=True))
            for own in probabilities
        ]

    def _wanted(self, suppressed: frozenset[int]) -> _Tokens:
        if suppressed not in self._tokens:
            unwanted = list(self._suppressed | suppressed)
            numbers = np.append(np.setdiff1d(np.arange(self._end), unwanted), self._end)
            self._tokens[suppressed] = _Tokens(self._decoder, numbers, self._hidden_at_first)
        return self._tokens[suppressed]

    def _after_start(self, rows: Rows) -> np.ndarray:
        """Return the probabilities of special tokens, of which one comes first, shape (m, specials)."""
        scores = result(self._special(rows))
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def _followed(
        self,
        audio: Audio,
        nodes: Nodes,
        tokens: _Tokens,
        ranked: Sequence[Sequence[tuple[Branch, Ranked]]],
        search: Search,
        max_tokens: int,
    ) -> list[Branch]:
        """Follow several texts of each utterance side by side, and return the best of each."""
        beams = [Beam(search.beam, self._end, max_tokens) for _ in ranked]
        while True:
            live = [
                (number, branch)
                for number, (beam, own) in enumerate(zip(beams, ranked, strict=True))
                for branch in (beam.follow(own) if own else ())
            ]
            if not live:
                return [beam.best() for beam in beams]
            rows, new = self._decoder.read(
                audio, nodes, [Next(number, branch.path, branch.ids[-1:]) for number, branch in live]
            )
            found = tokens.rank(
                rows, [branch.ids for _, branch in live], search.repetition_penalty, count=2 * search.beam
            )
            following: list[list[tuple[Branch, Ranked]]] = [[] for _ in beams]
            for (number, branch), own, [node] in zip(live, found, new, strict=True):
                following[number].append((Branch(branch.ids, branch.total, (*branch.path, node)), own))
            ranked = following

    def _written(
        self,
        audio: Audio,
        nodes: Nodes,
        tokens: _Tokens,
        texts: Sequence[_Text],
        search: Search,
        max_tokens: int,
    ) -> list[Branch]:
        """Write the likeliest token after the other; what a draft has right is read in one step."""
        open_texts = list(texts)
        while open_texts:
            for text in open_texts:
                token = text.take()
                text.draft = rest_of(text.draft, token)
            open_texts = [
                text for text in open_texts if text.ids[-1] != self._end and len(text.ids) < max_tokens
            ]
            if open_texts:
                self._read_on(audio, nodes, tokens, open_texts, search, max_tokens)
        return [
            Branch(tuple(number for number in text.ids if number != self._end), text.total, tuple(text.path))
            for text in texts
        ]

    def _read_on(
        self,
        audio: Audio,
        nodes: Nodes,
        tokens: _Tokens,
        texts: Sequence[_Text],
        search: Search,
        max_tokens: int,
    ) -> None:
        """Read the last token of each text and its draft, and take of this what is right."""
        # The token after the draft has to fit as well.
        room = [max_tokens - len(text.ids) - 1 for text in texts]
        drafts = [text.draft[: min(text.trusted, most)] for text, most in zip(texts, room, strict=True)]
        batch = [
            Next(text.utterance, text.path, [text.ids[-1], *draft])
            for text, draft in zip(texts, drafts, strict=True)
        ]
        rows, new = self._decoder.read(audio, nodes, batch)
        said = [
            [*text.ids, *draft[:count]]
            for text, draft in zip(texts, drafts, strict=True)
            for count in range(len(draft) + 1)
        ]
        ranked = iter(tokens.rank(rows, said, search.repetition_penalty, count=1))
        for text, draft, own in zip(texts, drafts, new, strict=True):
            found = [next(ranked) for _ in own]
            right = agreed(draft, [each[0][0] for each in found])
            for text.ranked in found[:right]:
                text.take()
            text.draft, text.trusted = text.draft[right:], trusted(right)
            text.path += own[: right + 1]
            text.ranked = found[right]

    def _hypothesis(self, branch: Branch, nodes: Nodes, prompt: int, no_speech: float) -> Hypothesis:
        watching = np.stack([nodes.watching[node] for node in branch.path[prompt - 1 :]])
        return Hypothesis(list(branch.ids), mean(branch), no_speech, watching)
