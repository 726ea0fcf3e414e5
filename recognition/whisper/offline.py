"""The second pass: Whisper over whole utterances, those of similar length together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from recognition.audio import samples
from recognition.interfaces import Samples, SessionContext, Span, Token
from recognition.sounding_hotwords import Compiled

from . import timing
from .features import FRAME_SHIFT
from .listening import MAX_LENGTH, MIN_LENGTH, MIN_WINDOW, Heard, Listener, Utterance, batches
from .marks import Marker
from .network import Search

_CUT_WITHIN = samples(10.0)
"""What is too long is cut at the quietest place of so much audio before the limit."""


class OfflineWhisper:
    """An `OfflineRecognizer` on a multilingual Whisper."""

    min_samples = MIN_WINDOW

    def __init__(self, listener: Listener, search: Search, *, marker: Marker | None = None) -> None:
        self.listener = listener
        self._search = search
        self._marker = marker
        self._hotwords = Compiled()

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        """The words of each utterance and when they were said; none where nobody speaks."""
        contexts = contexts or [SessionContext() for _ in batch]
        pieces = [
            _Piece(row, start, Utterance(audio[start:end], context))
            for row, (audio, context) in enumerate(zip(batch, contexts, strict=True))
            for start, end in cut(audio)
        ]
        found: list[list[Token]] = [[] for _ in pieces]
        for alike in batches(self.listener, {number: piece.utterance for number, piece in enumerate(pieces)}):
            for number, tokens in zip(alike, self._hear([pieces[number] for number in alike]), strict=True):
                found[number] = tokens
        words: list[list[Token]] = [[] for _ in batch]
        for piece, tokens in zip(pieces, found, strict=True):
            words[piece.row] += _shifted(tokens, piece.start)
        return words

    def _hear(self, pieces: Sequence[_Piece]) -> list[list[Token]]:
        utterances = [piece.utterance for piece in pieces]
        heard = self.listener.hear(utterances, self._search)
        words = [
            self.listener.vocabulary.words(hypothesis.ids, spans)
            for hypothesis, spans in zip(heard.hypotheses, self._spans(heard, pieces), strict=True)
        ]
        marked = self._marker.marked(heard, utterances, words) if self._marker else _unmarked(words)
        return [
            self._hotwords.written(tokens, each.context.hotwords)
            for tokens, each in zip(marked, utterances, strict=True)
        ]

    def _spans(self, heard: Heard, pieces: Sequence[_Piece]) -> list[list[Span]]:
        """Return when each token was said."""
        vocabulary = self.listener.vocabulary
        start = self.listener.starts[heard.language][:-1]
        paths = self.listener.network.align(
            heard.encoded,
            start,
            heard.hypotheses,
            [len(piece.utterance.audio) // FRAME_SHIFT for piece in pieces],
        )
        return [
            timing.spans(
                piece.utterance.audio, path, vocabulary.lengths(each.ids), vocabulary.word_ends(each.ids)
            )
            for piece, path, each in zip(pieces, paths, heard.hypotheses, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Piece:
    row: int
    start: int
    utterance: Utterance


def cut(audio: Samples) -> Iterator[Span]:
    """Return the parts that audio is heard in: one, unless it is too long for a window."""
    start = 0
    while len(audio) - start > MAX_LENGTH:
        limit = start + MAX_LENGTH
        end = timing.quietest(audio, limit - _CUT_WITHIN, limit)
        yield start, end
        start = end
    if len(audio) - start >= MIN_LENGTH:
        yield start, len(audio)


def _shifted(tokens: Sequence[Token], by: int) -> list[Token]:
    return [replace(token, start=token.start + by, end=token.end + by) for token in tokens]


def _unmarked(words: Sequence[Sequence[Token]]) -> list[list[Token]]:
    return [[replace(token, mark="") for token in each] for each in words]
