"""Lines as objects for other programs: the API and webhooks tell them alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessions_app.models import Utterance
from sessions_app.store.queries import as_line
from sessions_app.wire.protocol import Word, line_fields


def line_object(utterance: Utterance, words: Sequence[Word] | None = None) -> dict[str, Any]:
    """Return a line, which should be read `with_voices`."""
    told = line_fields(as_line(utterance))
    told |= {"text": told.pop("asr"), "speaker": told.pop("spk"), "revision": utterance.revision}
    return told | {"words": None if words is None else [_word(word, utterance.text) for word in words]}


def _word(word: Word, text: str) -> dict[str, Any]:
    return {"text": text[word.begin : word.stop], "start_ms": word.start_ms, "end_ms": word.end_ms}
