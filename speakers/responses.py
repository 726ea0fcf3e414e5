"""HTTP responses with somebody's voice in them, the same for the admin's pages and the API.

Nothing in between may keep them; that somebody heard or took a voice is on record.
"""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.http import FileResponse, Http404, HttpResponse
from django.utils.translation import gettext as _

from audit import log
from audit.models import Action

from . import enrollment, export
from .exceptions import Undecipherable
from .models import Enrollment, Speaker, Voiceprint


def draft_or_404(user: User, key: uuid.UUID) -> Enrollment:
    """Return a recording that the user may decide on."""
    draft = enrollment.drafts_of(user).filter(pk=key).first()
    if draft is None:
        raise Http404(_("There is no such recording: it may have been stored or deleted."))
    return draft


def archive(speaker: Speaker, *, by: User) -> HttpResponse:
    """Return a ZIP of everything that is kept of somebody, and record that it was asked for.

    Raises:
        Undecipherable: If the key of the voiceprints is gone.
    """
    content = export.export(speaker)
    log.record(Action.EXPORTED, by=by, speaker=speaker.uuid)
    name = f"speaker-{speaker.uuid}.zip"
    return HttpResponse(
        content,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def voiceprint_recording(voiceprint: Voiceprint, *, by: User) -> HttpResponse | FileResponse:
    """Return the recording of a voiceprint, and record that somebody listened."""
    response = recording(voiceprint)
    log.record(Action.PLAYED, by=by, speaker=voiceprint.speaker.uuid, voiceprint=str(voiceprint.uuid))
    return response


def recording(kept: Voiceprint | Enrollment) -> FileResponse | HttpResponse:
    """Return a recording as FLAC."""
    try:
        file = kept.audio.open()
    except (FileNotFoundError, ValueError):
        raise Http404(_("The recording is gone.")) from None
    except Undecipherable as error:
        return HttpResponse(str(error), status=503, content_type="text/plain; charset=utf-8")
    return FileResponse(
        file,
        content_type="audio/flac",
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'inline; filename="{kept.uuid}.flac"',
        },
    )
