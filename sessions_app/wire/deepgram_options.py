"""Deepgram's parameters, as its sockets and its HTTP take them: what a client asks for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

from recognition.hotwords import Hotword, together

from .client_fields import number_of, sender_request
from .hotword_lists import by_intensifier, usable_words
from .pcm import PcmFormat
from .protocol import ErrorCode, JoinRequest, ProtocolError

ENCODINGS = {"linear16": "s16le", "linear32": "f32le", "mulaw": "mulaw", "alaw": "alaw"}
"""Audio without a header, and what it is called here."""

TELEPHONE_RATE = 8_000
"""Of G.711, whoever does not say it."""

REFUSED = {
    "callback": "answers are not sent to another address: wait for this one",
    "redact": "nothing is taken out of a transcript here: leave it out, or edit the session afterwards",
}
"""Wishes that would be missed: who asks for them relies on them."""

OFF = ("", "false", "0", "none", "no")

Parameters = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Options:
    """All that a client may say beforehand, as far as it has a meaning here."""

    model: str = ""
    title: str = ""
    """The first tag, which names the session."""

    encoding: str = ""
    """As they call it; empty for files, which say it themselves."""

    rate: int = 0
    channels: int = 1
    is_multichannel: bool = False
    """Lines are told by the channel that they came by."""

    has_interims: bool = False
    has_speakers: bool = False
    has_marks: bool = True
    has_endpoints: bool = True
    has_speech_events: bool = False
    utterance_end_ms: int = 0
    """How long nobody speaks before that is said; 0: it is not."""

    language: str = ""
    """As they name it; empty, or "multi": it is found out."""

    hotwords: tuple[Hotword, ...] = ()
    has_utterances: bool = False
    has_paragraphs: bool = False

    def request(self, *, token: str, request_id: str) -> JoinRequest:
        """Return the request for a session, which has the name of this request."""
        join = sender_request(
            token=token, title=self.title, model=self.model, language=self.language, hotwords=self.hotwords
        )
        return replace(join, session_key=request_id)

    def pcm(self) -> PcmFormat | None:
        """Return the format of audio without a header; None if it is a file with one.

        Raises:
            ProtocolError: BAD_PARAMETER.
        """
        if not self.encoding:
            return None
        if self.encoding not in ENCODINGS:
            raise _refusal(
                f"encoding={self.encoding[:40]!r} is not taken here: use {', '.join(ENCODINGS)}, "
                "or send a WAV file without this parameter",
                "encoding",
            )
        return PcmFormat(ENCODINGS[self.encoding], self._known_rate(), self.channels)

    def _known_rate(self) -> int:
        if not self.rate and self.encoding in ("linear16", "linear32"):
            raise _refusal(f"sample_rate is missing: encoding={self.encoding} needs it", "sample_rate")
        return self.rate or TELEPHONE_RATE


def parse_options(query: str) -> Options:
    """Understand the query of an address; parameters that nobody knows are ignored.

    Raises:
        ProtocolError: BAD_PARAMETER.
    """
    given = parse_qs(query, keep_blank_values=True)
    for name, why in REFUSED.items():
        if _is_on(given, name):
            raise _refusal(f"{name} is not possible: {why}", name)
    has_format = _is_on(given, "smart_format")
    return Options(
        model=_last(given, "model"),
        title=next(iter(given.get("tag", ())), ""),
        encoding=_last(given, "encoding").lower(),
        rate=_number(given, "sample_rate", 0),
        channels=_number(given, "channels", 1),
        is_multichannel=_is_on(given, "multichannel"),
        has_interims=_is_on(given, "interim_results"),
        has_speakers=_is_on(given, "diarize") or _is_on(given, "diarize_model"),
        has_marks=has_format or _is_on(given, "punctuate", default=True),
        has_endpoints=_last(given, "endpointing", "true").lower() != "false",
        has_speech_events=_is_on(given, "vad_events"),
        utterance_end_ms=_number(given, "utterance_end_ms", 0),
        language=_last(given, "language"),
        hotwords=_hotwords(given),
        has_utterances=_is_on(given, "utterances"),
        has_paragraphs=has_format or _is_on(given, "paragraphs"),
    )


def _hotwords(given: Parameters) -> tuple[Hotword, ...]:
    """Return key terms, and the keywords of older models."""
    terms = usable_words([(term, None) for term in given.get("keyterm", ())])
    return together(terms, by_intensifier(given.get("keywords", ())))


def _last(given: Parameters, name: str, default: str = "") -> str:
    values = given.get(name, ())
    return values[-1] if values else default


def _is_on(given: Parameters, name: str, *, default: bool = False) -> bool:
    return _last(given, name).lower() not in OFF if name in given else default


def _number(given: Parameters, name: str, default: int) -> int:
    return number_of({name: _last(given, name)}, name, default)


def _refusal(message: str, param: str) -> ProtocolError:
    return ProtocolError(ErrorCode.BAD_PARAMETER, message, param=param)
