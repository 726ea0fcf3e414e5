"""Marks by a second decoding: behind a prompt that has marks Whisper sets them as well.

Its words are not used, for a prompt also makes it drop and smooth what was said: the character error rate of
spontaneous Mandarin doubles. Its marks are laid over the words that were heard without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from recognition.core.words import word_ends
from recognition.interfaces import Token

from .listening import Heard, Listener, Utterance
from .network import Search

PROMPTS: Mapping[str, str] = {"zh": "以下是普通话的句子，有逗号，也有句号。"}
"""Languages in which Whisper sets hardly a mark by itself. In the others its own stand.

Of the places of marks within lines of spontaneous talk this prompt finds nine in ten, and one without commas
seven; a question in it makes every other mark wrong.
"""

MIN_WORDS = 8
"""A line of fewer words has no mark but at its end."""

_GOES_ON = "，"
_QUESTION_WORDS = ("吗", "呢")


class Marker:
    """Sets marks between the words of utterances."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._starts = {
            language: listener.vocabulary.prompted(language, prompt)
            for language, prompt in PROMPTS.items()
            if language in listener.languages
        }

    def marked(
        self, heard: Heard, utterances: Sequence[Utterance], words: Sequence[Sequence[Token]]
    ) -> list[list[Token]]:
        """Return the words of each utterance with their marks."""
        start = self._starts.get(heard.language)
        if start is None:
            return [list(each) for each in words]
        if max(map(len, words)) < MIN_WORDS:
            return [_with_marks(each, ended([word.text for word in each])) for each in words]
        vocabulary = self._listener.vocabulary
        drafts = [vocabulary.without_marks(hypothesis.ids) for hypothesis in heard.hypotheses]
        search = Search(beam=1, between=vocabulary.marks)
        prompted = self._listener.decode(heard.encoded, heard.language, utterances, search, start, drafts)
        return [
            _with_marks(said, aligned(said, vocabulary.words(found.ids)))
            for said, found in zip(words, prompted, strict=True)
        ]


def _with_marks(words: Sequence[Token], marks: Sequence[str]) -> list[Token]:
    return [replace(word, mark=mark) for word, mark in zip(words, marks, strict=True)]


def ended(texts: Sequence[str]) -> list[str]:
    """Return the marks of a short line: one at its end."""
    return [""] * (len(texts) - 1) + ["？" if texts[-1] in _QUESTION_WORDS else "。"] if texts else []


def aligned(words: Sequence[Token], prompted: Sequence[Token]) -> list[str]:
    """Return the mark after each word, where another hearing of the same audio has them.

    None lies within a word that the dictionary knows; a line without one at its end goes on.
    """
    texts = [word.text for word in words]
    marks = [""] * len(words)
    matcher = SequenceMatcher(None, [word.text for word in prompted], texts, autojunk=False)
    for kind, first, end, to, to_end in matcher.get_opcodes():
        if kind == "equal":
            marks[to:to_end] = [word.mark for word in prompted[first:end]]
        elif end > first and to_end:
            marks[to_end - 1] = prompted[end - 1].mark or marks[to_end - 1]
    marks = [mark if is_end else "" for mark, is_end in zip(marks, word_ends(texts), strict=True)]
    return [*marks[:-1], marks[-1] or _GOES_ON] if marks else []
