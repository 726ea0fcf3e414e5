"""Edits of a transcript by HTTP: one address takes them all, others serve what editors need to know."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recognition.audio import milliseconds
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session
from sessions_app.transcripts import editing
from sessions_app.transcripts.alignment import align
from sessions_app.transcripts.edit_requests import BadEdit, parse_edit
from sessions_app.transcripts.transcript import line_json
from speakers.models import Speaker

from ..models import Session, Utterance

MAX_PEOPLE = 30


@require_POST
@for_session(Right.EDIT)
def edit(request: HttpRequest, session: Session) -> HttpResponse:
    """Do one edit; answer with the lines that changed, the edit that takes it back, and earlier revisions.

    400: the request makes no sense. 409: somebody else was there first, and nothing was changed. 422: it
    cannot be done with this transcript.
    """
    assert request.user.is_authenticated
    try:
        outcome = editing.apply(session, parse_edit(request.body), by=request.user)
    except BadEdit as error:
        return JsonResponse({"error": str(error)}, status=400)
    except editing.Conflict as conflict:
        lines = [_changed(line) for line in conflict.lines]
        return JsonResponse({"error": conflict.message, "lines": lines}, status=409)
    except editing.NotPossible as error:
        return JsonResponse({"error": str(error)}, status=422)
    undo = outcome.undo.model_dump(mode="json", exclude_none=False) if outcome.undo else None
    lines = [_changed(line) for line in outcome.lines]
    return JsonResponse({"lines": lines, "undo": undo, "was": outcome.was})


@require_GET
@for_session()
def words(request: HttpRequest, session: Session, line: int) -> HttpResponse:
    """Tell the times of a line's words: [first character, character after it, start ms, end ms]."""
    utterance = _line(session, line)
    timed = align(utterance.text, utterance.tokens, utterance.start, utterance.end)
    rows = [[word.begin, word.stop, milliseconds(word.start), milliseconds(word.end)] for word in timed]
    return JsonResponse({"revision": utterance.revision, "words": rows})


@require_GET
@for_session(Right.EDIT)
def versions(request: HttpRequest, session: Session, line: int) -> HttpResponse:
    """Tell every version of a line, the newest first, and what the machine said at first."""
    utterance = _line(session, line)
    rows = utterance.history.select_related("history_user").order_by("-history_date", "-history_id")
    names = {voice.pk: voice.name for voice in session.voices.select_related("speaker")}
    return JsonResponse(
        {
            "machine_text": utterance.machine_text,
            "versions": [_version(row, names) for row in rows],
        }
    )


@require_GET
@for_session(Right.EDIT)
def removed_lines(request: HttpRequest, session: Session) -> HttpResponse:
    """Tell the lines that people took out, each with the version that brings it back."""
    removed = [
        _changed(line) | {"by": removal.by, "at": removal.at.isoformat(), "version": removal.version}
        for line, removal in editing.removed_by_hand(session)
    ]
    return JsonResponse({"lines": removed})


@require_GET
@for_session(Right.EDIT)
def people(request: HttpRequest, session: Session) -> HttpResponse:
    """Tell the known speakers whose name contains `q`, for choosing one."""
    if not request.user.has_perm("speakers.view_speaker"):
        return JsonResponse({"people": [], "may_add": False})
    part = request.GET.get("q", "")[:100].replace("\0", " ")  # PostgreSQL takes no NUL
    found = Speaker.objects.filter(name__icontains=part).order_by("name")
    names = [{"speaker_id": str(person.uuid), "name": person.name} for person in found[:MAX_PEOPLE]]
    return JsonResponse({"people": names, "may_add": request.user.has_perm("speakers.add_speaker")})


def _line(session: Session, line: int) -> Utterance:
    found = session.utterances.filter(pk=line).first()
    if found is None:
        raise Http404(_("There is no such line."))
    return found


def _changed(line: Utterance) -> dict[str, Any]:
    return line_json(line) | {"removed": line.is_removed}


def _version(row: Any, names: dict[int, str]) -> dict[str, Any]:
    return {
        "version": row.history_id,
        # The machine's is written down when a person is about to change it: that is not when it was heard.
        "at": None if row.history_change_reason == "machine" else row.history_date.isoformat(),
        "by": row.history_user.get_username() if row.history_user else "",
        "what": row.history_change_reason or "",
        "text": row.text,
        "speaker": names.get(row.voice_id, ""),
        "start_ms": milliseconds(row.start),
        "end_ms": milliseconds(row.end),
        "removed": row.is_removed,
    }
