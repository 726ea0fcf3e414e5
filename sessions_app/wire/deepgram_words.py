"""Lines as Deepgram's clients read them: words with their speakers, and what recognised them. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .increments import without_marks
from .protocol import Line, SpeakerRef, Word
from .word_places import word_places

CONFIDENCE = 1.0
"""Of every word: there is no telling, and clients leave out what has a low one."""

Fields = dict[str, Any]


class Speakers:
    """Numbers of speakers, from 0, in the order in which they are heard first.

    Args:
        are_told: Whether the client asks for them.
    """

    def __init__(self, *, are_told: bool) -> None:
        self._are_told = are_told
        self._numbers: dict[str, int] = {}

    def of(self, spoken: SpeakerRef) -> Fields:
        """Return the fields that say who speaks; none if that is not asked for, or not known."""
        if not (self._are_told and spoken.speaker_id):
            return {}
        number = self._numbers.setdefault(spoken.speaker_id, len(self._numbers))
        return {"speaker": number, "speaker_name": spoken.speaker_name}


def alternative(text: str, words: Sequence[Fields], *, has_marks: bool) -> Fields:
    """Return what was said, in one reading of it."""
    transcript = text if has_marks else without_marks(text)
    return {"transcript": transcript, "confidence": CONFIDENCE, "words": list(words)}


def line_words(line: Line, speaker: Mapping[str, Any], *, has_marks: bool) -> list[Fields]:
    """Return the words of a line.

    Args:
        speaker: Fields that each of them has.
        has_marks: Whether each comes with the marks behind it as well.
    """
    words = line.words or _evenly(line.text, line.start_ms, line.end_ms)
    return _words(line.text, words, speaker, has_marks=has_marks)


def partial_words(text: str, start_ms: int, end_ms: int, *, has_marks: bool) -> list[Fields]:
    """Return the words of what is being said; their times are a guess."""
    return _words(text, _evenly(text, start_ms, end_ms), {}, has_marks=has_marks)


def _evenly(text: str, start_ms: int, end_ms: int) -> list[Word]:
    """Return the words of a text, as long as each other."""
    places = word_places(text)
    step = max(0, end_ms - start_ms) / max(1, len(places))
    return [
        Word(begin, stop, round(start_ms + at * step), round(start_ms + (at + 1) * step))
        for at, (begin, stop) in enumerate(places)
    ]


def _words(text: str, words: Sequence[Word], speaker: Mapping[str, Any], *, has_marks: bool) -> list[Fields]:
    ends = [*(word.begin for word in words[1:]), len(text)]
    found = []
    for word, end in zip(words, ends if words else [], strict=True):
        fields: Fields = {
            "word": text[word.begin : word.stop].lower(),
            "start": word.start_ms / 1000,
            "end": word.end_ms / 1000,
            "confidence": CONFIDENCE,
        }
        if has_marks:
            fields["punctuated_word"] = text[word.begin : end].strip()
        found.append(fields | dict(speaker))
    return found


def model_uuid(models: str) -> str:
    """Return a name for a set of models that looks like theirs, and is always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"asrsite:{models}"))


def model_info(models: str) -> Fields:
    return {"name": models, "version": "1", "arch": "asrsite"}


def metadata(
    *, request_id: str, models: str, received_at: float, sha256: str, duration_s: float, channels: int
) -> Fields:
    """Return what is said of a whole recording.

    Args:
        received_at: When the request came, in seconds since 1970.
    """
    created = datetime.fromtimestamp(received_at, UTC).isoformat(timespec="milliseconds")
    number = model_uuid(models)
    return {
        "transaction_key": "deprecated",
        "request_id": request_id,
        "sha256": sha256,
        "created": created.replace("+00:00", "Z"),
        "duration": round(duration_s, 3),
        "channels": channels,
        "models": [number],
        "model_info": {number: model_info(models)},
    }
