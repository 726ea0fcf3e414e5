"""Transcripts and recordings to take away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from functools import partial

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from audit import log
from audit.export import in_threads
from audit.models import Action
from sessions_app.access import permissions
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session, for_visitors
from sessions_app.catalogue.actions import MAX_AT_ONCE
from sessions_app.recordings import files
from sessions_app.transcripts import exports, letterhead, written_minutes
from sessions_app.transcripts.archives import archive

from ..models import Session
from .audio import serve_content, serve_wav

ONE_DOWNLOAD_S = 60.0
"""A recording is taken in many parts, which are one export."""


@for_session(Right.EXPORT)
def export(request: HttpRequest, session: Session, format: str) -> HttpResponseBase:  # noqa: A002
    """Serve a transcript in one of `exports.FORMATS`.

    `times=0`, `speakers=0`, `notes=0`, `minutes=0` leave those out, `translation=1` adds the other language.
    """
    if format not in exports.FORMATS:
        raise _no_such_format()
    return serve_export(request, session, format)


def serve_export(request: HttpRequest, session: Session, format: str) -> HttpResponse:  # noqa: A002
    prepared = _prepare(request, session)
    chosen = exports.FORMATS[format]
    name = exports.file_name(session, format)
    log.record(Action.MEETING_EXPORTED, meeting=session.key, format=format)
    response = HttpResponse(chosen.write(prepared), content_type=chosen.content_type)
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return response


@for_session(Right.EXPORT)
def paper(request: HttpRequest, session: Session) -> HttpResponse:
    """Show the transcript as a document to print, or to save as PDF; the options are those of `export`."""
    prepared = _prepare(request, session)
    context = {
        "export": prepared,
        "logo": letterhead.own_logo(),
        "minutes": written_minutes.parts(prepared.minutes),
        "attendees": exports.attendees(prepared) if prepared.has_speakers else [],
        "turns": [
            (
                turn[0],
                turn[0].start_ms / 1000,
                [
                    (line.text, prepared.marks.get(line.line_id), prepared.translations.get(line.line_id))
                    for line in turn
                ],
            )
            for turn in exports.turns(prepared)
        ],
    }
    log.record(Action.MEETING_EXPORTED, meeting=session.key, format="paper")
    return render(request, "sessions/paper.html", context)


@for_visitors
def several(request: HttpRequest) -> HttpResponseBase:
    """Serve a ZIP of the meetings named by `key`, each in `format`; without those one may not export."""
    chosen = request.GET.get("format", "docx")
    if chosen not in exports.FORMATS:
        raise _no_such_format()
    keys = request.GET.getlist("key")[:MAX_AT_ONCE]
    rows = Session.objects.filter(key__in=keys, trashed_at=None).select_related("owner").order_by("pk")
    sessions = [row for row in rows if Right.EXPORT in permissions.rights(request, row)]
    if not sessions:
        raise Http404(_("None of these meetings is there, or is yours to export."))
    log.write(log.entry(Action.MEETING_EXPORTED, meeting=row.key, format=chosen) for row in sessions)
    files = _files(sessions, chosen, get_language() or "en", timezone.get_current_timezone())
    response = StreamingHttpResponse(in_threads(archive(files)), content_type="application/zip")
    name = _("Meetings %(day)s") % {"day": f"{timezone.localtime():%Y-%m-%d}"}
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{name}.zip")
    return response


def _files(
    sessions: Sequence[Session], chosen: str, language: str, zone: tzinfo
) -> Iterator[tuple[str, bytes]]:
    """Yield each transcript as a file, in the language and the zone of who asked."""
    for session in sessions:
        with override(language), timezone.override(zone):
            content = exports.FORMATS[chosen].write(exports.prepare(session))
            name = exports.file_name(session, chosen)
        yield name, content


def _prepare(request: HttpRequest, session: Session) -> exports.Export:
    return exports.prepare(
        session,
        has_times=request.GET.get("times") != "0",
        has_speakers=request.GET.get("speakers") != "0",
        has_notes=request.GET.get("notes") != "0",
        has_minutes=request.GET.get("minutes") != "0",
        has_translation=request.GET.get("translation") == "1",
    )


def _no_such_format() -> Http404:
    known = ", ".join(exports.FORMATS)
    return Http404(_("There is no such format. Available formats: %(formats)s.") % {"formats": known})


@for_session(Right.EXPORT)
def recording(request: HttpRequest, session: Session) -> HttpResponseBase:
    """Serve the recording: FLAC once the session has ended, WAV before."""
    return serve_recording(request, session)


def serve_recording(request: HttpRequest, session: Session) -> HttpResponseBase:
    length = files.flac_bytes(session.pk)
    if length:
        read = partial(files.read_flac, session.pk)
        response, extension = serve_content(request, length, read, "audio/flac"), "flac"
    else:
        response, extension = serve_wav(request, session), "wav"
    name = exports.file_name(session, extension)
    log.record_seldom(Action.MEETING_EXPORTED, every_s=ONE_DOWNLOAD_S, meeting=session.key, format=extension)
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    return response
