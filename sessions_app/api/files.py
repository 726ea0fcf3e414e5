"""Transcripts and recordings for programs, as files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponseBase
from ninja import Query, Router

from audit.models import Action
from sessions_app.access.decision import Right
from sessions_app.transcripts import exports
from sessions_app.views.audio import serve_wav
from sessions_app.views.exports import serve_export, serve_recording

from .doors import DOOR, session_for

router = Router(tags=["sessions"], auth=DOOR)

Format = Literal["txt", "md", "srt", "vtt", "rttm", "json", "docx", "ics"]
"""`exports.FORMATS`; a test compares the two."""

OFF = Literal["0", "1"]


def _file(*kinds: str, **others: str) -> dict[str, Any]:
    """Return what OpenAPI shall say of an answer that is a file."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    more = {status.removeprefix("s"): {"description": text} for status, text in others.items()}
    return {"responses": {"200": {"description": "OK", "content": content}, **more}}


@router.get(
    "/sessions/{key}/export/{format}",
    openapi_extra=_file(*(each.content_type.split(";")[0] for each in exports.FORMATS.values())),
)
def export_session(
    request: HttpRequest,
    key: str,
    format: Format,  # noqa: A002 - its name in the address
    times: Annotated[OFF, Query(description="0: without times.")] = "1",
    speakers: Annotated[OFF, Query(description="0: without names.")] = "1",
    notes: Annotated[OFF, Query(description="0: without people's notes.")] = "1",
    translation: Annotated[OFF, Query(description="1: each line in the other language as well.")] = "0",
) -> HttpResponseBase:
    """Send the transcript as a file."""
    return serve_export(request, session_for(request, key, Right.EXPORT), format)


@router.get(
    "/sessions/{key}/recording",
    openapi_extra=_file("audio/flac", "audio/wav", s206="A part", s416="There is no such part"),
)
def session_recording(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send the recording to keep: FLAC once the meeting has ended, WAV before. Takes Range requests."""
    return serve_recording(request, session_for(request, key, Right.EXPORT))


@router.get(
    "/sessions/{key}/audio",
    openapi_extra=_file("audio/wav", s206="A part", s416="There is no such part"),
)
def session_audio(
    request: HttpRequest,
    key: str,
    until: Annotated[
        int | None, Query(ge=1, le=2**40, description="Only the first so many samples, which never change.")
    ] = None,
) -> HttpResponseBase:
    """Send the sound to listen to, as WAV (16 kHz, 16 bits, mono), also while the meeting goes on.

    Takes Range requests.
    """
    session = session_for(request, key, seen_as=Action.MEETING_HEARD)
    return serve_wav(request, session, until=until)
