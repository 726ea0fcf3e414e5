"""A session's recording by HTTP: any span of it, while the meeting goes on and afterwards."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from functools import partial

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _

from audit.models import Action
from recognition.audio import SAMPLE_RATE
from sessions_app.access.permissions import for_session
from sessions_app.recordings import files, peaks
from sessions_app.recordings.byte_ranges import Unsatisfiable, parse_range
from sessions_app.recordings.files import SAMPLE_BYTES
from sessions_app.wire.untrusted import whole_number

from ..models import Session

HEADER_BYTES = 44

MAX_PART = 1024 * 1024
"""Bytes in an answer to a Range request: half a minute. A player that jumps away wastes no more."""

BLOCK = 256 * 1024


@for_session(seen_as=Action.MEETING_HEARD)
def wav(request: HttpRequest, session: Session) -> HttpResponseBase:
    """Serve the recording as a WAV file that is never written: its header, then samples as they are read.

    With `?until=N` it is the first N samples, which never change; without, all there are by now.
    """
    return serve_wav(request, session, until=_number(request, "until"))


@for_session()
def waveform(request: HttpRequest, session: Session) -> HttpResponse:
    """Serve the recording's peaks from `first` on; see `peaks`."""
    first = _number(request, "first") or 0
    return HttpResponse(
        peaks.read(session.pk, first, has_ended=session.has_ended), content_type="application/octet-stream"
    )


def serve_wav(request: HttpRequest, session: Session, *, until: int | None = None) -> HttpResponseBase:
    available = files.length(session.pk)
    samples = available if until is None else min(until, available)
    if not samples:
        raise Http404(_("This meeting has no recording."))
    length = HEADER_BYTES + samples * SAMPLE_BYTES
    return serve_content(request, length, partial(_read_wav, session.pk, samples), "audio/wav")


def serve_content(
    request: HttpRequest, length: int, read: Callable[[int, int], bytes], content_type: str
) -> HttpResponseBase:
    """Serve the whole content, or the part that is asked for: Django's own responses know no parts.

    Args:
        length: Of the whole, in bytes.
        read: Returns bytes from one place to another.
    """
    try:
        part = parse_range(request.headers.get("range", ""), length, max_bytes=MAX_PART)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{length}"})
    response: HttpResponseBase
    if part is None:
        response = StreamingHttpResponse(_blocks(length, read), content_type=content_type)
        response.headers["Content-Length"] = str(length)
    else:
        response = HttpResponse(read(part.start, part.end), status=206, content_type=content_type)
        response.headers["Content-Range"] = part.content_range(length)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


async def _blocks(length: int, read: Callable[[int, int], bytes]) -> AsyncIterator[bytes]:
    for start in range(0, length, BLOCK):
        yield await asyncio.to_thread(read, start, min(start + BLOCK, length))


def _read_wav(session_pk: int, samples: int, start: int, end: int) -> bytes:
    """Read part of the WAV file of the first so many samples."""
    header = wav_header(samples)[start:end]
    first = max(0, start - HEADER_BYTES)
    last = max(0, end - HEADER_BYTES)
    begin, stop = first // SAMPLE_BYTES, -(-last // SAMPLE_BYTES)
    if begin == stop:
        return header
    audio = files.read(session_pk, begin, min(stop, samples)).tobytes()
    return header + audio[first - begin * SAMPLE_BYTES : last - begin * SAMPLE_BYTES]


def wav_header(samples: int) -> bytes:
    """Return the first 44 bytes of a WAV file: 16-bit samples, mono."""
    data = samples * SAMPLE_BYTES
    rate = SAMPLE_RATE
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + data, b"WAVE",
        b"fmt ", 16, 1, 1, rate, rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES,
        b"data", data,
    )  # fmt: skip


def _number(request: HttpRequest, name: str) -> int | None:
    return whole_number(request.GET.get(name, ""), max_digits=15)
