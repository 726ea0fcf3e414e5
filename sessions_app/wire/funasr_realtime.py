"""The protocol of FunASR's realtime server: commands in words, answers with all sentences so far. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from recognition.hotwords import Hotword

from .client_fields import sender_request
from .dialects import Audio, Capabilities, Command, Join, Refusal, Reply
from .hotword_lists import usable
from .pcm import PcmFormat
from .protocol import (
    Close,
    ErrorCode,
    Flush,
    Flushed,
    Hello,
    Line,
    Message,
    PartialLine,
    ProtocolError,
    SessionEnd,
)

COMMANDS = ("START", "STOP", "COMMIT")
SETTINGS = ("HOTWORDS", "LANGUAGE", "POSTPROCESS_HOTWORDS")

LINGER_S = 60.0
BYTES_PER_MS = 32

SENTENCES_PER_SKIP = 100
"""With so many sentences every other answer to a partial is left out, with twice as many two of three, and so
on: an answer has all of them, and a long meeting would be told a thousand times."""


class FunAsrRealtime:
    """Recordings between START and STOP."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._rules: list[tuple[str, str]] = []
        self._hotwords: tuple[Hotword, ...] = ()
        self._language = ""
        self._is_started = False
        self._is_sending = False
        self._stops = 0  # that are not answered yet
        self._bytes = 0
        self._skipped = 0
        self._forget()

    def _forget(self) -> None:
        self._sentences: list[dict[str, Any]] = []
        self._speakers: dict[str, int] = {}
        self._partial: PartialLine | None = None

    @classmethod
    def begins_with(cls, text: str | None) -> bool:
        """Tell whether this is how its clients begin."""
        return text is not None and _split(text)[0] in (*COMMANDS, *SETTINGS)

    # What the client says.

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        if data is not None:
            return self._receive_audio(data)
        command, value = _split(text or "")
        answers: dict[str, Callable[[str], Sequence[Command]]] = {
            "START": self._start,
            "STOP": self._stop,
            "COMMIT": self._commit,
            "HOTWORDS": self._set_hotwords,
            "LANGUAGE": self._set_language,
            "POSTPROCESS_HOTWORDS": self._set_rules,
        }
        if command not in answers:
            raise ProtocolError(
                ErrorCode.BAD_COMMAND,
                f"{(text or '')[:40]!r} is no command: there are {', '.join((*COMMANDS, *SETTINGS))}",
            )
        return answers[command](value)

    def _receive_audio(self, data: bytes) -> Sequence[Command]:
        if not (self._is_started and data):
            return []
        request = sender_request(
            token=self._token, language=self._language, rules=self._rules, hotwords=self._hotwords
        )
        joins = [] if self._is_sending else [Join(request, _CAPABILITIES)]
        self._bytes = len(data) + (self._bytes if self._is_sending else 0)
        self._is_sending = True
        return [*joins, Audio(data)]

    def _start(self, _: str) -> Sequence[Command]:
        self._is_started, self._is_sending = True, False
        return [_event("started")]

    def _stop(self, _: str) -> Sequence[Command]:
        was_sending, self._is_sending, self._is_started = self._is_sending, False, False
        if was_sending:
            self._stops += 1
            return [Close()]
        if self._stops:
            return []  # the answer is on its way
        self._forget()
        return [Reply(self._last_words())]

    def _set_language(self, value: str) -> Sequence[Command]:
        """Take the language of the recordings that begin from now on."""
        self._language = value
        return [_event("language_set", language=value)]

    def _set_hotwords(self, value: str) -> Sequence[Command]:
        """Take the hotwords of the recordings that begin from now on."""
        self._hotwords = usable(value)
        return [_event("hotwords_set", hotwords=_items(value))]

    def _set_rules(self, value: str) -> Sequence[Command]:
        """Take the rules `wrong=>right` of the recordings that begin from now on."""
        pairs = [item.partition("=>") for item in _items(value)]
        rules = {wrong.strip(): right.strip() for wrong, sign, right in pairs if sign and wrong.strip()}
        self._rules = list(rules.items())
        return [_event("postprocess_hotwords_set", postprocess_hotwords=rules)]

    def _commit(self, _: str) -> Sequence[Command]:
        return [Flush()] if self._is_sending else [Reply([self._result(is_final=True)])]

    # What it is told.

    def encode(self, message: Message) -> Sequence[str]:
        match message:
            case Hello():
                self._forget()
            case PartialLine():
                self._partial = message
                return [] if self._skips() else [self._result()]
            case Line():
                self._add(message)
                return [self._result()]
            case Flushed():
                self._partial = None
                return [self._result(is_final=True)]
            case SessionEnd():
                return self._session_end()
        return []

    def encode_error(self, error: ProtocolError) -> Refusal:
        fields = {"event": "error", "error": error.message, "code": error.code.code}
        return Refusal([json.dumps(fields, ensure_ascii=False)], error.code.close)

    def _skips(self) -> bool:
        every = 1 + len(self._sentences) // SENTENCES_PER_SKIP
        self._skipped = (self._skipped + 1) % every
        return self._skipped > 0

    def _add(self, line: Line) -> None:
        sentence: dict[str, Any] = {"text": line.text, "start": line.start_ms, "end": line.end_ms}
        if key := line.spoken.speaker_id:
            sentence["spk"] = self._speakers.setdefault(key, len(self._speakers))
            sentence["spk_name"] = line.spoken.speaker_name
        self._sentences.append(sentence)
        if self._partial and self._partial.start_ms < line.end_ms:
            self._partial = None

    def _session_end(self) -> Sequence[str]:
        if not self._stops:  # it was ended by somebody else
            self._is_started = self._is_sending = False
        self._stops = max(0, self._stops - 1)
        return self._last_words()

    def _last_words(self) -> list[str]:
        self._partial = None
        return [self._result(is_final=True), json.dumps({"event": "stopped"})]

    def _result(self, *, is_final: bool = False) -> str:
        partial = self._partial
        fields = {
            "sentences": self._sentences,
            "partial": partial.text if partial else "",
            "partial_start_ms": partial.start_ms if partial else 0,
            "duration_ms": self._bytes // BYTES_PER_MS,
            "is_final": is_final,
        }
        return json.dumps(fields, ensure_ascii=False)


_CAPABILITIES = Capabilities(
    wants_events=True, wants_end=True, lingers_s=LINGER_S, ends_by_leaving=True, pcm=PcmFormat()
)


def _split(text: str) -> tuple[str, str]:
    command, _, value = text.strip().partition(":")
    return command.strip().upper(), value.strip()


def _event(name: str, **fields: Any) -> Reply:
    return Reply([json.dumps({"event": name, **fields}, ensure_ascii=False)])


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.replace("，", ",").split(",") if item.strip()]
