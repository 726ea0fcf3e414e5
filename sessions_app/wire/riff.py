"""WAV files in a stream of bytes: some clients send the file, header and all, where samples belong. Pure."""

from __future__ import annotations

import struct

from .pcm import PcmFormat, frame_bytes
from .protocol import ErrorCode, ProtocolError

HEADER_BYTES = 44
"""Of the shortest header, which is ours."""

MAX_HEADER_BYTES = 64 * 1024
"""How far the samples may be from the beginning; pictures and lyrics stand there, seldom."""

_FILES = (b"RIFF", b"OggS", b"fLaC", b"ID3", b"\x1a\x45\xdf\xa3")
"""First bytes of WAV, OGG, FLAC, MP3 with a title, and WebM."""

_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")

_INTEGERS, _FLOATS, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_ENCODINGS = {
    (_INTEGERS, 8): "u8",
    (_INTEGERS, 16): "s16le",
    (_INTEGERS, 24): "s24le",
    (_INTEGERS, 32): "s32le",
    (_FLOATS, 32): "f32le",
    (_FLOATS, 64): "f64le",
    (_ALAW, 8): "alaw",
    (_MULAW, 8): "mulaw",
}


class RiffReader:
    """Finds the samples at the beginning of a recording; without a header everything is samples.

    Args:
        format: Of samples without a header.
    """

    def __init__(self, format: PcmFormat) -> None:  # noqa: A002 - the field's word
        self.format = format
        """Of the samples: it is known as soon as `receive` has returned some."""

        self.has_header = False
        self._header = b""
        self._left: int | None = None  # bytes of samples that are to come; None before they begin

    def receive(self, data: bytes) -> bytes:
        """Return the samples in the next bytes; none while the header goes on, or behind its end.

        Raises:
            ProtocolError: WRONG_FORMAT, if the header is of a file that is not understood.
        """
        if self._left is None:
            data = self._begin(data)
        if self._left is None:
            return b""
        samples = data[: self._left]
        self._left -= len(samples)
        return samples

    def _begin(self, data: bytes) -> bytes:
        self._header += data
        if not _may_be_wave(self._header[:12]):
            return self._no_header()
        found = self._samples_at()
        if found is None:
            if len(self._header) > MAX_HEADER_BYTES:
                raise _refusal("its samples do not begin within 64 KiB")
            return b""
        rest, self._header = self._header[found:], b""
        return rest

    def flush(self) -> bytes:
        """Return what was taken for the beginning of a header; nothing follows."""
        is_header = len(self._header) >= 4
        rest, self._header = self._header, b""
        return b"" if is_header or self._left is not None else rest

    def _no_header(self) -> bytes:
        self._left = 1 << 62
        samples, self._header = self._header, b""
        return samples

    def _samples_at(self) -> int | None:
        """Return where the samples begin, and note their format; None if that has not come yet."""
        at = 12
        while at + _CHUNK.size <= len(self._header):
            name, size = _CHUNK.unpack_from(self._header, at)
            at += _CHUNK.size
            if name == b"data":
                # Whoever writes a file while it is recorded does not know how long it will be.
                self._left = size if 0 < size < 0xFFFF_0000 else 1 << 62
                self.has_header = True
                return at
            if name == b"fmt ":
                if at + max(size, _FORMAT.size) > len(self._header):
                    return None
                self.format = _format(self._header[at : at + max(size, _FORMAT.size)])
            at += size + size % 2
        return None


def has_header(start: bytes) -> bool:
    """Tell from its first bytes whether a recording is a file of some kind, and not bare samples."""
    return start.startswith(_FILES) or start[4:8] == b"ftyp"


def wav_header(format: PcmFormat, length: int) -> bytes:  # noqa: A002 - the field's word
    """Return what makes so many bytes of samples a file."""
    kind, bits = {encoding: known for known, encoding in _ENCODINGS.items()}[format.encoding]
    frame = frame_bytes(format)
    chunk = _FORMAT.pack(kind, format.channels, format.rate, format.rate * frame, frame, bits)
    return (
        _CHUNK.pack(b"RIFF", HEADER_BYTES - _CHUNK.size + length)
        + b"WAVE"
        + _CHUNK.pack(b"fmt ", len(chunk))
        + chunk
        + _CHUNK.pack(b"data", length)
    )


def _may_be_wave(start: bytes) -> bool:
    return b"RIFF".startswith(start[:4]) and b"WAVE".startswith(start[8:])


def _format(chunk: bytes) -> PcmFormat:
    kind, channels, rate, _, _, bits = _FORMAT.unpack_from(chunk)
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        kind = int.from_bytes(chunk[24:26], "little")
    encoding = _ENCODINGS.get((kind, bits))
    if encoding is None:
        raise _refusal(f"its samples are of kind {kind} with {bits} bits")
    return PcmFormat(encoding, rate, channels)


def _refusal(why: str) -> ProtocolError:
    return ProtocolError(ErrorCode.WRONG_FORMAT, f"this WAV file is not understood: {why}", param="format")
