"""Deepgram's HTTP beside Django: a recording is the body of a request, and its transcript the answer."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
import uuid
from pathlib import Path
from typing import IO, Any

from django.db import InterfaceError, OperationalError

from sessions_app.wire import deepgram_files
from sessions_app.wire.deepgram_errors import error_body, status_of
from sessions_app.wire.deepgram_options import ENCODINGS, Options, parse_options
from sessions_app.wire.deepgram_words import metadata
from sessions_app.wire.pcm import PcmFormat
from sessions_app.wire.protocol import ErrorCode, ProtocolError
from sessions_app.wire.riff import HEADER_BYTES, has_header, wav_header

from .foreign_http import JSON, Answer, Receive, Request, Send, body_of, retry_headers, send_answer
from .sender import database_away
from .whole_recording import WholeRecording, admit

logger = logging.getLogger(__name__)


class DeepgramHttp:
    """An ASGI application for `/v1/listen`."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        request, request_id = Request(scope), uuid.uuid4().hex
        name = (b"dg-request-id", request_id.encode())
        try:
            text = await _transcribe(request, request_id, receive)
            answer = Answer(text, headers=(name,))
        except ProtocolError as error:
            answer = _refusal(error, request_id, name)
        except (OperationalError, InterfaceError) as error:
            logger.warning("a recording is not taken: %s", error)
            answer = _refusal(database_away(), request_id, name)
        await send_answer(send, answer)


async def _transcribe(request: Request, request_id: str, receive: Receive) -> str:
    request.check_origin()
    if request.method != "POST":
        raise _bad(f"{request.method} is not possible here: use POST, or open a WebSocket")
    await request.admit()  # before anything is read
    options, received_at = parse_options(request.query), time.time()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == JSON:
        raise _bad("recordings are not fetched from an address: send the file as the body", param="url")
    with tempfile.NamedTemporaryFile(prefix="recording-") as file:
        sha256 = await _keep(receive, file, _headerless(options))
        join = await admit(
            options.request(token=request.token, request_id=request_id),
            is_local=request.is_local,
            address=request.address,
        )
        recording = WholeRecording(join)
        lines = [line async for line in recording.lines(Path(file.name))]
    about = metadata(
        request_id=request_id,
        models=recording.model_set,
        received_at=received_at,
        sha256=sha256,
        duration_s=recording.duration_s,
        channels=1,
    )
    return deepgram_files.answer(options, lines, metadata=about, request_id=request_id)


def _headerless(options: Options) -> PcmFormat | None:
    """Return the format of samples without a header; files of other kinds say it themselves."""
    return options.pcm() if options.encoding in ENCODINGS else None


async def _keep(receive: Receive, file: IO[bytes], format: PcmFormat | None) -> str:  # noqa: A002
    """Write the body into a file, which says what it is afterwards, and return its check sum.

    Args:
        format: Of samples, which need a header.

    Raises:
        ProtocolError: BAD_PARAMETER, if there is none, or it is cut off.
    """
    checksum, header = hashlib.sha256(), 0
    async for piece in body_of(receive):
        if format and piece and not file.tell():
            header = 0 if has_header(piece) else HEADER_BYTES
            file.write(bytes(header))
        checksum.update(piece)
        file.write(piece)
    length = file.tell() - header
    if not length:
        raise _bad("the body is empty: send a recording")
    if format and header:
        file.seek(0)
        file.write(wav_header(format, length))
    file.flush()
    return checksum.hexdigest()


def _refusal(error: ProtocolError, request_id: str, name: tuple[bytes, bytes]) -> Answer:
    body = error_body(error, request_id=request_id)
    return Answer(body, status_of(error), headers=(name, *retry_headers(error)))


def _bad(message: str, *, param: str | None = None) -> ProtocolError:
    return ProtocolError(ErrorCode.BAD_PARAMETER, message, param=param)
