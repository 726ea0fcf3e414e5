"""Deepgram's protocol for live audio: `/v1/listen` as a socket. Pure.

Who has said nothing yet has no session; the first audio begins it, under the id of the request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from .channel_levels import ChannelLevels
from .client_fields import any_bearer, read_fields, text_of
from .deepgram_errors import error_message, status_of
from .deepgram_options import Options, parse_options
from .deepgram_words import (
    Speakers,
    alternative,
    line_words,
    metadata,
    model_info,
    model_uuid,
    partial_words,
)
from .dialects import Ask, Audio, Capabilities, Command, Dialect, Handshake, Join, Leave, Refusal, Reply
from .pcm import PcmFormat, frame_bytes
from .protocol import (
    Close,
    ErrorCode,
    Flush,
    Flushed,
    Hello,
    JoinRequest,
    Line,
    Message,
    PartialLine,
    ProtocolError,
    SessionEnd,
)
from .riff import RiffReader

SUBPROTOCOLS = ("token", "bearer")
"""What browsers offer before their key."""

FIRST_MESSAGE_S = 300.0
MAX_FIRST_BYTES = 2 * 1024 * 1024

RECOGNISED_WITHIN_MS = 700
"""How long it takes, of audio, until speech that goes on is heard of."""

LIVE_WITHIN_MS = 5_000
"""Who is further ahead of the lines sends faster than people speak; the next line says what was between."""

Fields = dict[str, Any]


class Deepgram(Dialect):
    """One socket, which is one session from its first audio on."""

    name: ClassVar[str] = "deepgram"
    first_message_s: ClassVar[float | None] = FIRST_MESSAGE_S
    max_first_bytes: ClassVar[int | None] = MAX_FIRST_BYTES

    def __init__(self) -> None:
        self._token = self._request_id = self._models = ""
        self._received_at = 0.0
        self._options = Options()
        self._riff = RiffReader(PcmFormat())
        self._sound: Sound | None = None  # once there is some
        self._is_closing = False
        self._flushes = 0  # that are not answered yet
        self._held: Line | None = None  # it may be the last before a flush
        self._open_ms: int | None = None  # where what is being said began
        self._speakers = Speakers(are_told=False)
        self._silence = Silence(0)

    # What the client says.

    def open(self, handshake: Handshake) -> Sequence[Command]:
        self._request_id, self._received_at = handshake.request_id, handshake.received_at
        self.headers = {"dg-request-id": self._request_id}
        self.subprotocol, key = _offered(handshake.subprotocols)
        self._token = any_bearer(handshake.headers) or key
        self._options = options = parse_options(handshake.query)
        self._riff = RiffReader(options.pcm() or PcmFormat())
        self._speakers = Speakers(are_told=options.has_speakers)
        self._silence = Silence(options.utterance_end_ms)
        return [Ask(self._request())]

    def receive(self, text: str | None, data: bytes | None) -> Sequence[Command]:
        if data is not None:
            return self._receive_audio(data)
        answers: dict[str, Callable[[], Sequence[Command]]] = {
            "KeepAlive": list,
            "Finalize": self._finalize,
            "CloseStream": self._close_stream,
            "Configure": self._configure,
        }
        kind = text_of(read_fields(text) or {}, "type")
        if kind not in answers:
            raise ProtocolError(
                ErrorCode.BAD_COMMAND, f"type={kind[:40]!r} is unknown: use one of {', '.join(answers)}"
            )
        return answers[kind]()

    def _receive_audio(self, data: bytes) -> Sequence[Command]:
        samples = b"" if self._is_closing else self._riff.receive(data)
        return self._take(samples) if samples else []

    def _take(self, samples: bytes) -> Sequence[Command]:
        join: Sequence[Command] = []
        if self._sound is None:
            join = [self._join()]
            self._sound = Sound(self._riff.format, is_multichannel=self._options.is_multichannel)
        self._sound.receive(samples)
        ended_ms = self._silence.hear_audio(self._sound.position_ms)
        ends = [] if ended_ms is None else [Reply([self._utterance_end(ended_ms)])]
        return [*join, Audio(samples), *ends]

    def _join(self) -> Join:
        if not (self._options.encoding or self._riff.has_header):
            raise ProtocolError(
                ErrorCode.WRONG_FORMAT,
                "the audio cannot be decoded: name its encoding and its sample_rate, or send a WAV file",
                param="encoding",
            )
        capabilities = Capabilities(
            wants_events=True,
            wants_end=True,
            wants_words=True,
            ends_by_leaving=True,
            pcm=self._riff.format,
        )
        return Join(self._request(), capabilities)

    def _finalize(self) -> Sequence[Command]:
        if self._sound is None:
            return [Reply([self._nothing()])]
        self._flushes += 1
        return [Flush()]

    def _close_stream(self) -> Sequence[Command]:
        if self._is_closing:
            return []
        rest = self._riff.flush()
        audio = self._take(rest) if rest else []
        self._is_closing = True
        if self._sound:
            return [*audio, Close()]
        return [Reply([self._metadata(0.0)]), Leave()]

    def _configure(self) -> Sequence[Command]:
        return [
            Reply(
                [
                    _json(
                        {
                            "type": "ConfigureFailure",
                            "request_id": self._request_id,
                            "code": "CONFIGURE_KEYTERMS_NOT_SUPPORTED",
                            "description": "nothing can be changed while the audio goes on: connect anew",
                        }
                    )
                ]
            )
        ]

    def _request(self) -> JoinRequest:
        return self._options.request(token=self._token, request_id=self._request_id)

    # What it is told.

    def encode(self, message: Message) -> Sequence[str]:
        match message:
            case Hello():
                self._models = message.models
            case PartialLine():
                return [*self._release(), *self._partial(message)]
            case Line():
                return [*self._release(), *self._begin(message.start_ms), *self._line(message)]
            case Flushed():
                return self._flushed()
            case SessionEnd():
                return self._session_end(message)
        return []

    def encode_error(self, error: ProtocolError) -> Refusal:
        if error.code is ErrorCode.TOO_MANY_FLUSHES:
            self._flushes = max(0, self._flushes - 1)  # the next one has all of it
            return Refusal([], None)
        text = error_message(error, request_id=self._request_id)
        return Refusal([text], error.code.close, status_of(error))

    def _partial(self, partial: PartialLine) -> Sequence[str]:
        if self._open_ms is not None and partial.start_ms > self._open_ms:
            self._open_ms = None  # what began there was no speech
        begun = self._begin(partial.start_ms)
        text = partial.text + partial.tail
        if not (self._options.has_interims and text):
            return begun
        end_ms = max(partial.start_ms, self._position_ms)
        words = partial_words(text, partial.start_ms, end_ms, has_marks=self._options.has_marks)
        return [*begun, self._results(text, words, partial.start_ms, end_ms)]

    def _begin(self, start_ms: int) -> Sequence[str]:
        """Return what is said when somebody begins to speak; nothing if that was said."""
        if self._open_ms is not None:
            return []
        self._open_ms = start_ms
        ended_ms = self._silence.hear_speech(start_ms)
        ends = [] if ended_ms is None else [self._utterance_end(ended_ms)]
        if not self._options.has_speech_events:
            return ends
        channel = self._channel(start_ms, start_ms + 1)[0]
        return [
            *ends,
            _json({"type": "SpeechStarted", "channel": [channel], "timestamp": start_ms / 1000}),
        ]

    def _line(self, line: Line) -> Sequence[str]:
        self._open_ms = None
        last_ms = line.words[-1].end_ms if line.words else line.end_ms
        self._silence.hear_line(last_ms, position_ms=self._position_ms)
        if self._flushes:
            self._held = line
            return []
        return [self._final(line)]

    def _release(self) -> Sequence[str]:
        """Return the line that waited for a flush, which another follows."""
        held, self._held = self._held, None
        return [self._final(held)] if held else []

    def _flushed(self) -> Sequence[str]:
        self._flushes = max(0, self._flushes - 1)
        held, self._held = self._held, None
        return [self._final(held, from_finalize=True) if held else self._nothing()]

    def _session_end(self, end: SessionEnd) -> Sequence[str]:
        released = self._release()
        ended_ms = self._silence.hear_end()
        ends = [] if ended_ms is None else [self._utterance_end(ended_ms)]
        return [*released, *ends, self._metadata(end.received_s)]

    def _final(self, line: Line, *, from_finalize: bool = False) -> str:
        has_marks = self._options.has_marks
        words = line_words(line, self._speakers.of(line.spoken), has_marks=has_marks)
        text = self._results(
            line.text,
            words,
            line.start_ms,
            line.end_ms,
            is_final=True,
            speech_final=self._options.has_endpoints or from_finalize,
            from_finalize=from_finalize,
        )
        if self._sound:
            self._sound.forget_before(line.start_ms)
        return text

    def _nothing(self) -> str:
        """Return the answer to a `Finalize` when nothing was said that was not told."""
        at_ms = self._position_ms
        return self._results("", [], at_ms, at_ms, is_final=True, speech_final=True, from_finalize=True)

    def _results(
        self,
        text: str,
        words: Sequence[Fields],
        start_ms: int,
        end_ms: int,
        *,
        is_final: bool = False,
        speech_final: bool = False,
        from_finalize: bool = False,
    ) -> str:
        return _json(
            {
                "type": "Results",
                "channel_index": self._channel(start_ms, end_ms),
                "duration": (end_ms - start_ms) / 1000,
                "start": start_ms / 1000,
                "is_final": is_final,
                "speech_final": speech_final,
                "channel": {"alternatives": [alternative(text, words, has_marks=self._options.has_marks)]},
                "metadata": {
                    "request_id": self._request_id,
                    "model_info": model_info(self._models),
                    "model_uuid": model_uuid(self._models),
                },
                "from_finalize": from_finalize,
            }
        )

    def _utterance_end(self, end_ms: int) -> str:
        channel = self._channel(end_ms - 1, end_ms)
        return _json({"type": "UtteranceEnd", "channel": channel, "last_word_end": end_ms / 1000})

    def _metadata(self, duration_s: float) -> str:
        sound = self._sound
        return _json(
            {
                "type": "Metadata",
                **metadata(
                    request_id=self._request_id,
                    models=self._models,
                    received_at=self._received_at,
                    sha256=sound.sha256 if sound else hashlib.sha256().hexdigest(),
                    duration_s=duration_s,
                    channels=self._riff.format.channels,
                ),
            }
        )

    @property
    def _position_ms(self) -> int:
        return self._sound.position_ms if self._sound else 0

    def _channel(self, start_ms: int, end_ms: int) -> list[int]:
        return self._sound.channel(start_ms, end_ms) if self._sound else [0, 1]


class Sound:
    """All of the audio that has come: how much, of which channels, and its check sum."""

    def __init__(self, format: PcmFormat, *, is_multichannel: bool) -> None:  # noqa: A002 - the field's word
        self._bytes = 0
        self._bytes_per_s = frame_bytes(format) * format.rate
        self._sum = hashlib.sha256()
        self._levels = ChannelLevels(format) if is_multichannel and format.channels > 1 else None

    @property
    def position_ms(self) -> int:
        return 1000 * self._bytes // self._bytes_per_s

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def receive(self, data: bytes) -> None:
        self._bytes += len(data)
        self._sum.update(data)
        if self._levels:
            self._levels.receive(data)

    def channel(self, start_ms: int, end_ms: int) -> list[int]:
        """Return by which channel something came, and how many there are."""
        if not self._levels:
            return [0, 1]
        return [self._levels.loudest(start_ms, end_ms), self._levels.channels]

    def forget_before(self, start_ms: int) -> None:
        if self._levels:
            self._levels.forget_before(start_ms)


class Silence:
    """Finds out, by the audio alone, that nobody has spoken for so long since the last line.

    Args:
        longest_ms: How long that is; 0: nobody wants to know.
    """

    def __init__(self, longest_ms: int) -> None:
        self._longest_ms = longest_ms
        self._since_ms: int | None = None
        self._is_live = False

    def hear_line(self, end_ms: int, *, position_ms: int) -> None:
        self._since_ms = end_ms if self._longest_ms else None
        self._is_live = position_ms - end_ms < LIVE_WITHIN_MS

    def hear_speech(self, start_ms: int) -> int | None:
        """Return where the silence began that is over now, if it was long enough and was not told of."""
        since_ms, self._since_ms = self._since_ms, None
        return since_ms if since_ms is not None and start_ms - since_ms >= self._longest_ms else None

    def hear_audio(self, position_ms: int) -> int | None:
        """Return where the silence began that has become long enough."""
        since_ms = self._since_ms
        longest_ms = self._longest_ms + RECOGNISED_WITHIN_MS
        if since_ms is None or not self._is_live or position_ms - since_ms < longest_ms:
            return None
        self._since_ms = None
        return since_ms

    def hear_end(self) -> int | None:
        """Return where the silence at the end began."""
        since_ms, self._since_ms = self._since_ms, None
        return since_ms


def _offered(subprotocols: Sequence[str]) -> tuple[str | None, str]:
    """Return the subprotocol to select, and the key that a browser sends behind it."""
    if not subprotocols or subprotocols[0].lower() not in SUBPROTOCOLS:
        return None, ""
    return subprotocols[0], any_bearer({"authorization": " ".join(subprotocols[:2])})


def _json(fields: Fields) -> str:
    return json.dumps(fields, ensure_ascii=False)
