"""OpenAI's HTTP API beside Django: it waits for recognition for minutes, and no thread may wait with it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import InterfaceError, OperationalError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from audit import addresses
from sessions_app import model_sets
from sessions_app.access import decision
from sessions_app.models import Session
from sessions_app.transcripts import exports
from sessions_app.wire import openai_files
from sessions_app.wire.client_fields import any_bearer
from sessions_app.wire.increments import joined
from sessions_app.wire.openai_files import WRITTEN, Wishes
from sessions_app.wire.protocol import ErrorCode, Line, ProtocolError

from .sender import database_away
from .whole_recording import WholeRecording, admit, may_send

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

JSON = "application/json"
SPOOLED_BYTES = 2**20
RETRY_S = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; streams begin with the first piece of their body."""

    body: str
    status: int = 200
    kind: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


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
            answer = await self._answer(_Request(scope), receive, send)
        except ProtocolError as error:
            answer = _error(error)
        except (OperationalError, InterfaceError) as error:
            logger.warning("a recording is not taken: %s", error)
            answer = _error(database_away())
        if answer:
            await _send(send, answer)

    async def _answer(self, request: _Request, receive: Receive, send: Send) -> Answer | None:
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


class _Request:
    """The parts of a request that matter here."""

    def __init__(self, scope: Any) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"].rstrip("/")
        self.scheme: str = scope.get("scheme", "http")
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope.get("client")
        self.peer: str | None = client[0] if client else None

    @property
    def token(self) -> str:
        return any_bearer(self.headers)

    @property
    def is_local(self) -> bool:
        return decision.is_local(self.peer, self.headers)

    @property
    def address(self) -> str | None:
        forwarded = self.headers.get("x-forwarded-for", "")
        return addresses.of_client(self.peer, forwarded, settings.PROXIES)

    def check_origin(self) -> None:
        """Refuse pages of others.

        Raises:
            ProtocolError: FORBIDDEN.
        """
        if not decision.is_origin_allowed(
            self.headers,
            scheme=self.scheme,
            allowed_hosts=settings.ALLOWED_HOSTS,
            trusted_origins=settings.CSRF_TRUSTED_ORIGINS,
        ):
            raise ProtocolError(ErrorCode.FORBIDDEN, "pages of other addresses may not call this")

    async def admit(self) -> None:
        """Refuse who may not send. Raises as `admit` of a recording."""
        await may_send(token=self.token, is_local=self.is_local)


async def _transcribe(request: _Request, receive: Receive, send: Send) -> Answer | None:
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
                await _begin(send, Answer("", kind="text/event-stream"))
            for event in openai_files.events_of(wishes, line, number, text):
                await _more(send, event)
            text = joined([text, line.text])
            number += 1
    except ProtocolError as error:
        if not number:
            raise
        await _more(send, openai_files.error_event(error))
    else:
        if not number:
            await _begin(send, Answer("", kind="text/event-stream"))
        for event in openai_files.last_events(text):
            await _more(send, event)
    await send({"type": "http.response.body", "body": b""})


async def _upload(request: _Request, receive: Receive) -> Upload:
    """Read a form.

    Raises:
        ProtocolError: BAD_PARAMETER, if it is none, or has no file.
    """
    with tempfile.SpooledTemporaryFile(SPOOLED_BYTES, prefix="recording-") as body:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ProtocolError(ErrorCode.BAD_PARAMETER, "the request was cut off")
            body.write(message.get("body", b""))
            if not message.get("more_body"):
                break
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
    retry_s = error.retry_after or (RETRY_S if error.code.is_retryable else None)
    headers = ((b"retry-after", str(max(1, round(retry_s))).encode()),) if retry_s else ()
    body = openai_files.as_json(openai_files.error_fields(error))
    return Answer(body, openai_files.status_of(error), headers=headers)


def _failure(status: int, message: str, code: str) -> Answer:
    fields = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Answer(openai_files.as_json({"error": fields}), status)


async def _send(send: Send, answer: Answer) -> None:
    await _begin(send, answer)
    await send({"type": "http.response.body", "body": answer.body.encode()})


async def _begin(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", f"{answer.kind}; charset=utf-8".encode()), *answer.headers]
    headers.append((b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


async def _more(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
