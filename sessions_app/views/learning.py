"""Remembering a voice that was named in a transcript, so that later meetings recognise it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recognition.audio import milliseconds, samples
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session
from sessions_app.transcripts.learning import lines_to_learn_from, said, speech_s
from sessions_app.wire.untrusted import json_field
from speakers import enrollment
from speakers.models import Speaker, Voiceprint
from speakers.permissions import ENROLL, needs, user_of

from ..models import Session


@require_http_methods(["GET", "POST"])
@for_session(Right.EDIT)
@needs(ENROLL)
def remember(request: HttpRequest, session: Session, speaker: uuid.UUID) -> HttpResponse:
    """Tell what remembering this speaker's voice takes, or do it: a worker judges what was said here."""
    person = Speaker.objects.filter(uuid=speaker, voices__session=session).first()
    if person is None:
        raise Http404(_("Nobody of this name speaks in this meeting."))
    if request.method == "GET":
        return JsonResponse(_question(session, person))
    return _remember(request, session, person)


def _question(session: Session, person: Speaker) -> dict[str, Any]:
    text = enrollment.current_consent_text()
    return {
        "name": person.name,
        "speech_ms": milliseconds(samples(speech_s(lines_to_learn_from(session, person)))),
        "recordings": person.voiceprints.count(),
        "has_consent": enrollment.valid_consent(person) is not None,
        "consent": text.text if text else "",
    }


def _remember(request: HttpRequest, session: Session, person: Speaker) -> HttpResponse:
    audio = said(lines_to_learn_from(session, person))
    if not len(audio):
        return _refusal(_("No recording of these lines has been kept."))
    user = user_of(request)
    consent = enrollment.valid_consent(person)
    text = enrollment.current_consent_text()
    if consent is None and text and json_field(request.body, "has_agreed") is True:
        consent = enrollment.record_consent(person, text, by=user)
    if consent is None:
        return _refusal(_("This person must first agree to being recognised by voice."))
    draft = enrollment.begin(
        audio, source=Voiceprint.Source.TRANSCRIPT, by=user, speaker=person, consent=consent
    )
    address = {
        "verdict": reverse("enrollment-verdict", args=[draft.uuid]),
        "page": reverse("enrollment", args=[draft.uuid]),
    }
    return JsonResponse(address, status=201)


def _refusal(text: str) -> HttpResponse:
    return JsonResponse({"error": text}, status=422)
