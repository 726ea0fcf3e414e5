"""Turns inside one utterance: people interrupt each other without a pause. Pure.

A long utterance is looked at through windows that slide over it. Where their voices change for good, one
turn ends and another begins, at the pause that is nearest. A turn's voice is the mean of the windows in it,
and if one person speaks and not for long, of all of it at once as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognition.audio import samples
from recognition.interfaces import TURN_PENALTY, Samples, Span, SpeakerEmbedder, Token

from .words import word_ends

MIN_VOICE = samples(0.4)
"""Less audio than this says nothing about a voice."""

MAX_VOICE = samples(6.0)
"""More audio than this says little more."""

WINDOW = samples(1.5)
HOP = samples(0.75)
"""Windows overlap by half, so that no second of a turn is looked at only together with another's."""

MAX_WHOLE = samples(4.5)
"""A look at all of it beside the windows helps up to here: half a point of equal error at 3 s, none at 5."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A span of speech by one speaker, as the tokens in it."""

    first_token: int
    last_token: int


@dataclass(frozen=True, slots=True, eq=False)
class TurnVoice:
    """Sound of a turn."""

    embedding: np.ndarray | None
    """float32, shape (dimension,), unit length; None if there is too little to tell."""

    samples: int
    """Of speech, as far as it says anything about a voice."""


def windows(tokens: Sequence[Token], length: int) -> tuple[Span, ...]:
    """Return the places to look for turns in an utterance; none if there is too little to tell a voice.

    An utterance of a short word or two is taken with what is around it.

    Args:
        tokens: What was said, with times from the start of the utterance; not empty.
        length: Samples of the utterance.
    """
    start, end = _spoken(tokens, length)
    if end - start < MIN_VOICE:
        start, end = 0, length
    return parts(start, end) if end - start >= MIN_VOICE else ()


def parts(start: int, end: int) -> tuple[Span, ...]:
    """Windows that slide over speech from `start` to `end`, or all of it if it is too short for two turns."""
    if end - start < 2 * WINDOW:
        return ((start, end),)
    starts = list(range(start, end - WINDOW + 1, HOP))
    if end - (starts[-1] + WINDOW) > HOP // 2:
        starts.append(end - WINDOW)
    return tuple((at, at + WINDOW) for at in starts)


def spans(windows: Sequence[Span]) -> tuple[Span, ...]:
    """Return what to embed: the windows, of which there are some, and all that they cover, if that helps."""
    start, end = windows[0][0], windows[-1][1]
    has_whole = len(windows) > 1 and end - start <= MAX_WHOLE
    return (*windows, (start, end)) if has_whole else tuple(windows)


def turns(
    tokens: Sequence[Token], windows: Sequence[Span], embeddings: np.ndarray, *, penalty: float = TURN_PENALTY
) -> tuple[Turn, ...]:
    """Split an utterance where the speaker changes.

    Of all ways to cut the windows into runs, the one in which they agree best: the length of the sum of each
    run's embeddings, less the penalty for each cut. That is the likelihood of voices that scatter around a
    direction of their own (von Mises-Fisher), penalised as in the Bayesian information criterion.

    Args:
        tokens: As for `windows`.
        windows: What it returned.
        embeddings: Of the `spans` of the windows, float32, shape (n, dimension), unit length.
        penalty: What one more turn must gain. A window adds at most 1 to its turn.

    Returns:
        Turns in order that cover all tokens.
    """
    firsts = [0]
    cuts = best_cuts(embeddings[: len(windows)], np.full(len(windows), penalty))
    candidates = first_tokens(tokens) if cuts else ()
    for cut in cuts:
        at = (windows[cut - 1][0] + windows[cut][1]) // 2  # the middle of the two
        first = nearest_gap(tokens, candidates, at)
        if firsts[-1] < first < len(tokens):
            firsts.append(first)
    lasts = [first - 1 for first in firsts[1:]] + [len(tokens) - 1]
    return tuple(Turn(first, last) for first, last in zip(firsts, lasts, strict=True))


def voice_of(
    turn: Turn, tokens: Sequence[Token], windows: Sequence[Span], embeddings: np.ndarray
) -> TurnVoice:
    """The voice of one of the turns that `turns` found: of the windows that no other turn reaches into.

    Args:
        tokens, windows, embeddings: As for `turns`.
    """
    if not windows:
        return TurnVoice(None, 0)
    if turn == Turn(0, len(tokens) - 1):
        length = windows[-1][1] - windows[0][0]
        return TurnVoice(_only_voice(embeddings, len(windows)), min(length, MAX_VOICE))
    start, end = tokens[turn.first_token].start, tokens[turn.last_token].end
    if end - start < MIN_VOICE:
        return TurnVoice(None, 0)
    shares = np.array([min(end, until) - max(start, since) for since, until in windows])
    chosen = np.flatnonzero(shares == shares.max())
    return TurnVoice(mean_voice(embeddings[chosen]), min(end - start, MAX_VOICE))


def voice_in(speech: Samples, embedder: SpeakerEmbedder) -> np.ndarray:
    """The voice in a piece of one person's speech, made like that of a turn.

    Returns:
        float32, shape (dimension,), unit length.
    """
    windows = parts(0, len(speech))
    [embeddings] = embedder.embed([(speech, spans(windows))])
    return _only_voice(embeddings, len(windows))


def mean_voice(embeddings: np.ndarray) -> np.ndarray:
    """The voice of several spans.

    Args:
        embeddings: float32, shape (n, dimension), unit length, n > 0.

    Returns:
        float32, shape (dimension,), unit length.
    """
    mean = embeddings.mean(axis=0)
    voice: np.ndarray = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
    return voice


def _only_voice(embeddings: np.ndarray, windows: int) -> np.ndarray:
    """The voice in `spans` with so many windows: the whole counts as much as all of them."""
    return mean_voice(np.stack([mean_voice(embeddings[:windows]), *embeddings[windows:]]))


def _spoken(tokens: Sequence[Token], length: int) -> Span:
    return max(0, tokens[0].start), min(length, tokens[-1].end)


def best_cuts(embeddings: np.ndarray, penalties: np.ndarray) -> list[int]:
    """Return the windows that begin a new turn, by dynamic programming over all cuts.

    Args:
        embeddings: float32, shape (n, dimension); as long as each counts.
        penalties: What a turn must gain that begins with each window, shape (n,); the first has none to pay.
    """
    count = len(embeddings)
    sums = np.concatenate([np.zeros((1, embeddings.shape[1])), np.cumsum(embeddings, axis=0, dtype=float)])
    best = np.zeros(count + 1)  # value of the best way to cut the first windows
    begins = np.zeros(count + 1, int)  # where its last run begins
    paid = penalties * (np.arange(count) > 0)
    for end in range(1, count + 1):
        runs = np.linalg.norm(sums[end] - sums[:end], axis=1)  # (end,)
        values = best[:end] + runs - paid[:end]
        begins[end] = int(np.argmax(values))
        best[end] = values[begins[end]]
    cuts = []
    end = count
    while end > 0 and begins[end] > 0:
        end = int(begins[end])
        cuts.append(end)
    return cuts[::-1]


def first_tokens(tokens: Sequence[Token]) -> Sequence[int]:
    """The tokens that a turn may begin with: nobody stops within a word that the dictionary knows.

    All of them, if no word ends before the last.
    """
    ends = word_ends([token.text for token in tokens])
    return [index for index in range(1, len(tokens)) if ends[index - 1]] or range(1, len(tokens))


def nearest_gap(tokens: Sequence[Token], candidates: Sequence[int], at: int) -> int:
    """The token that a turn begins with if the speaker changes about here: a pause nearby decides."""

    def goodness(index: int) -> float:
        pause = tokens[index].start - tokens[index - 1].end
        middle = (tokens[index].start + tokens[index - 1].end) // 2
        return min(pause, HOP) - abs(middle - at)

    return max(candidates, key=goodness, default=0)
