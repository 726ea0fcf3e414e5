"""Transcripts and recordings to take away."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session
from sessions_app.recordings import files
from sessions_app.transcripts import exports

from ..models import Session
from .audio import serve_file, serve_wav


@for_session(Right.EXPORT)
def export(request: HttpRequest, session: Session, format: str) -> HttpResponseBase:  # noqa: A002
    """Serve a transcript in one of `exports.FORMATS`; `times=0`, `speakers=0`, `notes=0` leave those out."""
    if format not in exports.FORMATS:
        known = ", ".join(exports.FORMATS)
        raise Http404(_("There is no such format. Available formats: %(formats)s.") % {"formats": known})
    prepared = exports.prepare(
        session,
        has_times=request.GET.get("times") != "0",
        has_speakers=request.GET.get("speakers") != "0",
        has_notes=request.GET.get("notes") != "0",
    )
    chosen = exports.FORMATS[format]
    name = exports.file_name(session, format)
    response = HttpResponse(chosen.write(prepared), content_type=chosen.content_type)
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return response


@for_session(Right.EXPORT)
def recording(request: HttpRequest, session: Session) -> HttpResponseBase:
    """Serve the recording: FLAC once the session has ended, WAV before."""
    flac = files.flac_path(session.pk)
    if flac.exists():
        response, extension = serve_file(request, flac, "audio/flac"), "flac"
    else:
        response, extension = serve_wav(request, session), "wav"
    name = exports.file_name(session, extension)
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return response
