"""Utterances to tokens, for both passes: the window, the language, and the gate where nobody speaks.

An utterance is heard in a window of its own length with silence behind it, and of at least eight seconds: in
shorter ones Whisper repeats itself for ever, and the thirty seconds of its training cost four times as much.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from recognition.audio import samples, seconds
from recognition.core.words import log_probability
from recognition.interfaces import Samples, SessionContext

from . import rescoring
from .features import FRAME_SHIFT, log_mel
from .network import Encoded, Hypothesis, Network, Search
from .vocabulary import CHINESE, Vocabulary

MIN_WINDOW = samples(8.0)
SILENCE_BEHIND = samples(2.5)
MAX_WINDOW = samples(30.0)

MAX_LENGTH = samples(28.0)
"""The widest window has no room for more than that and silence."""

MIN_LENGTH = samples(0.1)
"""In less than that nothing is said."""

_FRAMES = 2
"""The encoder halves their number."""

_SURE_OF_LANGUAGE = samples(2.0)
"""A shorter utterance does not settle the language of its session."""

_UNSURE = -0.8
"""Mean log probability below which the language is asked for again."""

_SILENT = ((0.5, -0.7), (0.4, -1.0))
"""Nobody speaks where both are passed: the probability of that, and the mean log probability of the text."""

_REPEATING = (0.4, 8)
"""Nor where so many tokens or more say one thing again and again, and it is a little probable."""

_MAX_TOKENS_PER_S = 10
_MAX_TOKENS_BESIDES = 8
"""Longer text is not said but repeated."""

_MAX_BATCH = 4
_MAX_LONGER = 1.25
"""Utterances of one batch differ by so much: the shorter ones are computed in the window of the longest."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Audio no longer than `MAX_LENGTH`, and its session."""

    audio: Samples
    context: SessionContext


@dataclass(frozen=True, slots=True)
class Heard:
    """Tokens of a batch of utterances in one language."""

    encoded: Encoded
    language: str
    hypotheses: Sequence[Hypothesis]


class Listener:
    """A network with the languages that are spoken to it.

    Args:
        languages: Their codes. If there are several, the language is found out for each session.
    """

    def __init__(self, network: Network, vocabulary: Vocabulary, languages: Collection[str]) -> None:
        self.network, self.vocabulary = network, vocabulary
        self.languages = tuple(languages)
        self.starts: Mapping[str, list[int]] = {name: vocabulary.start(name) for name in languages}

    def language(self, utterance: Utterance) -> str:
        """Return the language of an utterance, empty if it is not known yet."""
        asked_for = utterance.context.language
        if asked_for in self.languages:
            return asked_for
        return self.languages[0] if len(self.languages) == 1 else ""

    def hear(
        self, utterances: Sequence[Utterance], search: Search, drafts: Sequence[Sequence[int]] = ()
    ) -> Heard:
        """Return the tokens of utterances that are alike (see `batches`).

        Args:
            drafts: See `Network.decode`.
        """
        encoded = self.encode(utterances)
        language = self.language(utterances[0]) or self._find_language(encoded, utterances[0])
        hypotheses = self.decode(encoded, language, utterances, search, self.starts[language], drafts)
        heard = Heard(encoded, language, hypotheses)
        return self._heard_again(heard, utterances[0], search) if len(utterances) == 1 else heard

    def encode(self, utterances: Sequence[Utterance]) -> Encoded:
        """Encode utterances that are alike in one window."""
        frames = _window(max(len(each.audio) for each in utterances)) // FRAME_SHIFT
        return self.network.encode([log_mel(each.audio, frames) for each in utterances])

    def decode(
        self,
        encoded: Encoded,
        language: str,
        utterances: Sequence[Utterance],
        search: Search,
        start: Sequence[int],
        drafts: Sequence[Sequence[int]] = (),
    ) -> list[Hypothesis]:
        """Return the tokens of utterances that were encoded.

        Args:
            start: The tokens that their text begins with.
            drafts: See `Network.decode`.
        """
        if language == CHINESE:
            search = replace(search, suppressed=self.vocabulary.unlikely)
        longest = max(len(each.audio) for each in utterances)
        prompts = [start] * len(utterances)
        found = self.network.decode(encoded, prompts, search, max_tokens=_max_tokens(longest), drafts=drafts)
        return [
            self._chosen(alternatives, each.audio, language)
            for alternatives, each in zip(found, utterances, strict=True)
        ]

    def _chosen(self, alternatives: Sequence[Hypothesis], audio: Samples, language: str) -> Hypothesis:
        likeliest, longest = alternatives[0], _max_tokens(len(audio))
        if is_silent(likeliest):
            return replace(likeliest, ids=[])
        texts = [
            replace(each, ids=[number for number in each.ids if number < self.vocabulary.end][:longest])
            for each in alternatives
        ]
        return rescoring.best(texts, self._usualness) if language == CHINESE else texts[0]

    def _usualness(self, hypothesis: Hypothesis) -> float:
        return log_probability([word.text for word in self.vocabulary.words(hypothesis.ids)])

    def _find_language(self, encoded: Encoded, utterance: Utterance) -> str:
        """Return the likeliest language of one utterance, and keep it for the session if it is sure."""
        [probabilities] = self.network.languages(encoded)
        found = max(self.languages, key=lambda name: probabilities.get(name, 0.0))
        if len(utterance.audio) >= _SURE_OF_LANGUAGE:
            utterance.context.language = found
        return found

    def _heard_again(self, heard: Heard, utterance: Utterance, search: Search) -> Heard:
        """Return what is heard in another language, if the network is unsure of this one."""
        [before] = heard.hypotheses
        is_sure = len(self.languages) == 1 or utterance.context.is_language_chosen
        if is_sure or not before.ids or before.log_probability >= _UNSURE:
            return heard
        language = self._find_language(heard.encoded, utterance)
        if language == heard.language:
            return heard
        hypotheses = self.decode(heard.encoded, language, [utterance], search, self.starts[language])
        return Heard(heard.encoded, language, hypotheses)


def is_silent(hypothesis: Hypothesis) -> bool:
    """Tell whether nobody speaks, so that the text is made up."""
    doubt, sure, ids = hypothesis.no_speech, hypothesis.log_probability, hypothesis.ids
    if any(doubt > least and sure < most for least, most in _SILENT):
        return True
    least, count = _REPEATING
    return doubt > least and len(ids) >= count and 2 * len(set(ids)) < len(ids)


def batches(listener: Listener, utterances: Mapping[int, Utterance]) -> Iterator[list[int]]:
    """Return numbers of utterances to be heard together: of one language and of similar length.

    One whose language is not known yet is heard alone.
    """
    languages = {number: listener.language(each) for number, each in utterances.items()}
    lengths = {
        number: max(MIN_WINDOW - SILENCE_BEHIND, len(each.audio)) for number, each in utterances.items()
    }
    batch: list[int] = []
    for number in sorted(utterances, key=lambda number: (languages[number], lengths[number])):
        if batch and (
            len(batch) == _MAX_BATCH
            or not languages[number]
            or languages[number] != languages[batch[0]]
            or lengths[number] > _MAX_LONGER * lengths[batch[0]]
        ):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _window(length: int) -> int:
    step = _FRAMES * FRAME_SHIFT
    return min(MAX_WINDOW, -(-max(MIN_WINDOW, length + SILENCE_BEHIND) // step) * step)


def _max_tokens(length: int) -> int:
    return _MAX_TOKENS_BESIDES + int(_MAX_TOKENS_PER_S * seconds(length))
