"""FunASR's own protocol, as its servers speak it at `/`: 2pass, online and offline. Pure.

Clients say in JSON what they are going to send, send samples, and say that they have no more; another
recording may follow. What tells its newer realtime server apart (`funasr_realtime`) is the first message.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from recognition.hotwords import Hotword

from .client_fields import (
    any_bearer,
    choice_of,
    flag_of,
    number_of,
    query_fields,
    read_fields,
    sender_request,
    text_of,
)
from .dialects import Audio, Capabilities, Command, Dialect, Handshake, Join, Refusal, Reply
from .funasr_realtime import FunAsrRealtime
from .hotword_lists import of_json, usable, usable_words
from .increments import Increments, joined
from .pcm import PcmFormat
from .protocol import (
    Close,
    ErrorCode,
    Hello,
    Line,
    Message,
    PartialLine,
    ProtocolError,
    SessionEnd,
    SpeakerRef,
    Word,
)
from .riff import RiffReader
from .untrusted import one_line

MODES = ("2pass", "online", "offline")

MAX_NAME_LENGTH = 200

FIRST_MESSAGE_S = 300.0
LINGER_S = 10.0
MAX_FIRST_BYTES = 1024 * 1024 + 64 * 1024
"""A whole utterance in one message, and what is said before it."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """All that a client has said of its recordings; what it leaves out stays as it was."""

    mode: str = "2pass"
    wav_name: str = ""
    wav_format: str = "pcm"
    rate: int = 16_000
    token: str = ""
    itn: bool | None = None
    hotwords: tuple[Hotword, ...] = ()

    def told(self, fields: dict[str, Any]) -> Wishes:
        mode = text_of(fields, "mode", self.mode)
        return replace(
            self,
            mode=mode if mode in MODES else "2pass",
            wav_name=one_line(text_of(fields, "wav_name", self.wav_name))[:MAX_NAME_LENGTH],
            wav_format=text_of(fields, "wav_format", self.wav_format).lower(),
            rate=number_of(fields, "audio_fs", self.rate),
            token=text_of(fields, "token", self.token),
            itn=choice_of(fields, "itn", self.itn),
            hotwords=_hotwords(fields.get("hotwords"), self.hotwords),
        )


def _hotwords(value: Any, before: tuple[Hotword, ...]) -> tuple[Hotword, ...]:
    """Return those of a hello: words with weights as JSON in a text, as the servers take them, or words."""
    if isinstance(value, dict):
        return usable_words(of_json(value))
    return usable(value, are_blanks_between=True) if isinstance(value, str) else before


class FunAsr(Dialect):
    """One socket of FunASR's clients, of either protocol."""

    name: ClassVar[str] = "funasr"
    first_message_s: ClassVar[float | None] = FIRST_MESSAGE_S
    max_first_bytes: ClassVar[int | None] = MAX_FIRST_BYTES

    def __init__(self) -> None:
        self._token = ""
        self._spoken: FunAsrRecordings | FunAsrRealtime | None = None

    def open(self, handshake: Handshake) -> Sequence[Command]:
        self.subprotocol = "binary" if "binary" in handshake.subprotocols else None
        self._token = any_bearer(handshake.headers) or query_fields(handshake.query).get("token", "")
        return []

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        if self._spoken is None:
            is_realtime = FunAsrRealtime.begins_with(text)
            self._spoken = (FunAsrRealtime if is_realtime else FunAsrRecordings)(self._token)
        return self._spoken.receive(text, data)

    def encode(self, message: Message) -> Sequence[str]:
        return self._spoken.encode(message) if self._spoken else []

    def encode_error(self, error: ProtocolError) -> Refusal:
        return (self._spoken or FunAsrRecordings(self._token)).encode_error(error)


class FunAsrRecordings:
    """Recordings, one after the other, each a session from its first samples on."""

    def __init__(self, token: str) -> None:
        self._wishes = self._answered = Wishes(token=token)  # of what comes, and of what is answered
        self._riff: RiffReader | None = None  # of the recording that goes on
        self._is_sending = False  # samples have come, and not their end
        self._is_cut_off = False  # its session has ended before: the rest of its audio is for nobody
        self._ends = 0  # recordings that the client has ended, and that are not answered to the end
        self._wants_end = False
        self._increments = Increments()
        self._held: Line | None = None
        self._lines: list[Line] = []

    # What the client says.

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        if data is not None:
            return self._receive_audio(data)
        fields = read_fields(text)
        if fields is None:
            raise ProtocolError(
                ErrorCode.BAD_COMMAND,
                f"{(text or '')[:40]!r} is no JSON object: say what is sent, as "
                '{"mode": "2pass", "wav_name": "NAME", "is_speaking": true}',
            )
        return self._receive_fields(fields)

    def _receive_fields(self, fields: dict[str, Any]) -> Sequence[Command]:
        self._wishes = self._wishes.told(fields)
        complaints = self._complaints(fields)
        if flag_of(fields, "is_speaking", default=True) and not flag_of(fields, "is_finished"):
            self._is_cut_off = False
            return complaints
        self._wants_end = flag_of(fields, "is_end")
        return [*complaints, *self._end()]

    def _complaints(self, fields: dict[str, Any]) -> Sequence[Command]:
        mode = fields.get("mode", "2pass")
        if mode in MODES:
            return []
        said = f"mode={mode!r:.40} is unknown: 2pass is taken for it; there are {', '.join(MODES)}"
        return [Reply(self.encode_error(ProtocolError(ErrorCode.BAD_COMMAND, said)).texts)]

    def _receive_audio(self, data: bytes) -> Sequence[Command]:
        if self._is_cut_off:
            return []
        if self._riff is None:
            self._riff = RiffReader(PcmFormat("s16le", self._wishes.rate))
        samples = self._riff.receive(data)
        if not samples:
            return []
        self._check_format(self._riff)
        return [*self._join(), Audio(samples)]

    def _check_format(self, riff: RiffReader) -> None:
        """Refuse what is no PCM; a WAV file tells so itself, whatever its client calls it.

        Raises:
            ProtocolError: WRONG_FORMAT.
        """
        if self._wishes.wav_format not in ("", "pcm") and not riff.has_header:
            raise ProtocolError(
                ErrorCode.WRONG_FORMAT,
                f"wav_format={self._wishes.wav_format[:40]!r} is not taken here: send PCM or WAV",
                param="wav_format",
            )

    def _join(self) -> Sequence[Command]:
        if self._is_sending:
            return []
        assert self._riff
        self._is_sending = True
        wishes = self._wishes
        request = sender_request(
            token=wishes.token, title=wishes.wav_name, itn=wishes.itn, hotwords=wishes.hotwords
        )
        return [Join(request, _capabilities(self._riff.format))]

    def _end(self) -> Sequence[Command]:
        """End the recording; without any samples there is nothing to wait for."""
        rest = self._riff.flush() if self._riff else b""
        audio = [*self._join(), Audio(rest)] if rest else []
        self._riff = None
        if self._is_sending:
            self._is_sending = False
            self._ends += 1
            return [*audio, Close()]
        if self._ends:
            return []  # the answer is on its way
        self._answered = self._wishes
        return [Reply(self._last_words())]

    # What it is told.

    def encode(self, message: Message) -> Sequence[str]:
        match message:
            case Hello():
                self._answered = self._wishes
            case PartialLine():
                return self._partial(message)
            case Line():
                return self._line(message)
            case SessionEnd():
                return self._session_end()
        return []

    def encode_error(self, error: ProtocolError) -> Refusal:
        fields = self._fields("", is_final=error.code.close is not None)
        fields |= {"error": error.message, "code": error.code.code}
        if self._wants_end and error.code.close:
            fields |= {"is_final": False, "is_end": True}
        return Refusal([_json(fields)], error.code.close)

    def _partial(self, partial: PartialLine) -> Sequence[str]:
        if self._answered.mode == "offline":
            return []
        new = self._increments.of_partial(partial)
        return [_json(self._fields(new, second="online"))] if new else []

    def _line(self, line: Line) -> Sequence[str]:
        match self._answered.mode:
            case "offline":
                self._lines.append(line)
                return []
            case "online":
                rest = self._increments.of_line(line)
                return [_json(self._fields(rest))] if rest else []
        self._increments.of_line(line)
        before, self._held = self._held, None
        texts = [self._finished(before)] if before else []
        if not self._ends:
            return [*texts, self._finished(line)]
        self._held = line  # it may be the last one, which says so
        return texts

    def _finished(self, line: Line, *, is_final: bool = False) -> str:
        fields = self._fields(line.text, second="offline", is_final=is_final)
        fields |= _times([line]) | _speaker(line.spoken)
        more = {"start_time": line.start_ms, "end_time": line.end_ms, "slice_type": 2}
        return _json(fields | more | {"index": line.seq})

    def _session_end(self) -> Sequence[str]:
        if self._ends:
            self._ends -= 1
        else:
            self._is_cut_off = True
            self._is_sending, self._riff = False, None
        return self._last_words()

    def _last_words(self) -> list[str]:
        """Return what ends a recording, and forget it."""
        held, self._held = self._held, None
        lines, self._lines = self._lines, []
        self._increments.end_utterance()
        if held:
            texts = [self._finished(held, is_final=True)]
        elif lines:
            text = joined(line.text for line in lines)
            texts = [_json(self._fields(text, is_final=True) | _times(lines))]
        else:
            texts = [_json(self._fields("", second="offline", is_final=True))]
        if self._wants_end:
            self._wants_end = False
            texts.append(_json(self._fields("", is_final=True) | {"is_end": True}))
        return texts

    def _fields(self, text: str, *, second: str = "", is_final: bool = False) -> dict[str, Any]:
        mode = self._answered.mode
        if mode == "2pass" and second:
            mode = f"2pass-{second}"
        return {"mode": mode, "text": text, "wav_name": self._answered.wav_name, "is_final": is_final}


def _capabilities(pcm: PcmFormat) -> Capabilities:
    return Capabilities(
        wants_events=True,
        wants_end=True,
        wants_words=True,
        lingers_s=LINGER_S,
        ends_by_leaving=True,
        pcm=pcm,
    )


def _speaker(spoken: SpeakerRef) -> dict[str, Any]:
    """Return a speaker's name, and how much it is like an enrolled voice: nothing of a stranger's."""
    score = round(spoken.score or 0.0, 4) if spoken.is_enrolled else 0.0
    return {"spk_name": spoken.speaker_name or "unknown", "spk_score": score}


def _times(lines: Sequence[Line]) -> dict[str, Any]:
    """Return the times of all words, and the clauses: none at all if they are not known of every line."""
    if not all(line.words for line in lines):
        return {}
    words = [[word.start_ms, word.end_ms] for line in lines for word in line.words]
    clauses = [clause for line in lines for clause in _clauses(line)]
    return {"timestamp": json.dumps(words, separators=(",", ":")), "stamp_sents": clauses}


def _clauses(line: Line) -> list[dict[str, Any]]:
    """Return the pieces of a line between its marks."""
    clauses: list[dict[str, Any]] = []
    open_words: list[Word] = []
    ends = [*(word.begin for word in line.words[1:]), len(line.text)]
    for word, end in zip(line.words, ends, strict=True):
        open_words.append(word)
        if mark := line.text[word.stop : end].strip():
            clauses.append(_clause(line, open_words, mark))
            open_words = []
    return clauses + ([_clause(line, open_words, "")] if open_words else [])


def _clause(line: Line, words: Sequence[Word], mark: str) -> dict[str, Any]:
    return {
        "text_seg": " ".join(line.text[word.begin : word.stop] for word in words),
        "punc": mark,
        "start": words[0].start_ms,
        "end": words[-1].end_ms,
        "ts_list": [[word.start_ms, word.end_ms] for word in words],
    }


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False)
