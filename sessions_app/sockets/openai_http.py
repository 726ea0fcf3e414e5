"""OpenAI's HTTP API beside Django: it waits for recognition for minutes, and no thread may wait with it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import InterfaceError, OperationalError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from sessions_app import model_sets
from sessions_app.models import Session
from sessions_app.transcripts import exports
from sessions_app.wire import openai_files
from sessions_app.wire.increments import joined
from sessions_app.wire.openai_files import WRITTEN, Wishes
from sessions_app.wire.protocol import ErrorCode, Line, ProtocolError

from .foreign_http import (
    JSON,
    Answer,
    Receive,
    Request,
    Send,
    begin,
    body_of,
    retry_headers,
    send_answer,
    send_more,
)
from .sender import database_away
from .whole_recording import WholeRecording, admit

logger = logging.getLogger(__name__)

SPOOLED_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with a file, which is gone when this is closed."""

    fields: Mapping[str, list[str]]
    file: Any

    @property
    def path(self) -> Path:
        return Path(self.file.temporary_file_path())


class OpenAiHttp:
    """An ASGI application for `/v1/`."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(Request(scope), receive, send)
        except ProtocolError as error:
            answer = _error(error)
        except (OperationalError, InterfaceError) as error:
            logger.warning("a recording is not taken: %s", error)
            answer = _error(database_away())
        if answer:
            await send_answer(send, answer)

    async def _answer(self, request: Request, receive: Receive, send: Send) -> Answer | None:
        request.check_origin()
        match request.method, request.path:
            case "POST", "/v1/audio/transcriptions":
                return await _transcribe(request, receive, send)
            case "POST", "/v1/audio/translations":
                return _failure(501, "translations are not made here", "unsupported_endpoint")
            case "GET", "/v1/models":
                await request.admit()
                return Answer(openai_files.as_json(openai_files.models(model_sets.names())))
            case "GET", path if path.startswith("/v1/models/"):
                await request.admit()
                return _model(path.removeprefix("/v1/models/"))
        return _failure(404, f"there is no {request.method} {request.path}", "unknown_url")


async def _transcribe(request: Request, receive: Receive, send: Send) -> Answer | None:
    await request.admit()  # before anything is read
    upload = await _upload(request, receive)
    try:
        wishes = openai_files.understand(upload.fields, file_name=upload.file.name, token=request.token)
        join = await admit(wishes.join, is_local=request.is_local, address=request.address)
        recording = WholeRecording(join)
        if wishes.is_streaming:
            await _stream(send, wishes, recording.lines(upload.path))
            return None
        lines = [line async for line in recording.lines(upload.path)]
        return await _whole(wishes, recording, lines)
    finally:
        upload.file.close()


async def _whole(wishes: Wishes, recording: WholeRecording, lines: list[Line]) -> Answer:
    kind = WRITTEN.get(wishes.format, JSON)
    if wishes.format in ("srt", "vtt"):
        return Answer(await read_subtitles(recording.request.session_key, wishes.format), kind=kind)
    return Answer(openai_files.answer(wishes, lines, round(recording.duration_s, 3)), kind=kind)


async def _stream(send: Send, wishes: Wishes, lines: AsyncIterator[Line]) -> None:
    """Send lines as they come; an error before the first is the whole answer, later it is an event."""
    text, number = "", 0
    try:
        async for line in lines:
            if not number:
                await begin(send, Answer("", kind="text/event-stream"))
            for event in openai_files.events_of(wishes, line, number, text):
                await send_more(send, event)
            text = joined([text, line.text])
            number += 1
    except ProtocolError as error:
        if not number:
            raise
        await send_more(send, openai_files.error_event(error))
    else:
        if not number:
            await begin(send, Answer("", kind="text/event-stream"))
        for event in openai_files.last_events(text):
            await send_more(send, event)
    await send({"type": "http.response.body", "body": b""})


async def _upload(request: Request, receive: Receive) -> Upload:
    """Read a form.

    Raises:
        ProtocolError: BAD_PARAMETER, if it is none, or has no file.
    """
    with tempfile.SpooledTemporaryFile(SPOOLED_BYTES, prefix="recording-") as body:
        async for piece in body_of(receive):
            body.write(piece)
        length = body.tell()
        body.seek(0)
        return await parse_form(request.headers.get("content-type", ""), length, body)


def _parse_form(kind: str, length: int, body: Any) -> Upload:
    meta = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": length}
    try:
        fields, files = MultiPartParser(meta, body, [TemporaryFileUploadHandler()], "utf-8").parse()
    except (MultiPartParserError, SuspiciousOperation, ValueError) as error:
        raise ProtocolError(ErrorCode.BAD_PARAMETER, f"this is no multipart form: {error}") from None
    if "file" not in files:
        raise ProtocolError(ErrorCode.BAD_PARAMETER, "file is missing: send a recording", param="file")
    return Upload(dict(fields.lists()), files["file"])


def _subtitles(key: str, format_: str) -> str:
    export = exports.prepare(Session.objects.get(key=key))
    write = exports.as_srt if format_ == "srt" else exports.as_vtt
    return write(export).decode()


parse_form = database_sync_to_async(_parse_form, thread_sensitive=False)
read_subtitles = database_sync_to_async(_subtitles, thread_sensitive=False)


def _model(name: str) -> Answer:
    known = {each["id"]: each for each in openai_files.models(model_sets.names())["data"]}
    if name not in known:
        return _failure(404, f"there is no model {name[:40]!r}", "model_not_found")
    return Answer(openai_files.as_json(known[name]))


def _error(error: ProtocolError) -> Answer:
    body = openai_files.as_json(openai_files.error_fields(error))
    return Answer(body, openai_files.status_of(error), headers=retry_headers(error))


def _failure(status: int, message: str, code: str) -> Answer:
    fields = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Answer(openai_files.as_json({"error": fields}), status)
