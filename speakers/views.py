"""The pages of the admin beyond lists and forms: enroll, decide, merge, listen, export.

`SpeakerAdmin` gives them their addresses, and lets in only staff; each view then asks for its own permission.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from speakers.voiceprints.assessment import Problem
from speakers.voiceprints.scoring import probability

from . import enrollment, lifecycle, responses
from .enrollment import Verdict
from .exceptions import EnrollmentError, Undecipherable
from .forms import DecideForm, EnrollForm, MergeForm
from .models import Enrollment, Speaker, Voiceprint
from .permissions import ENROLL, EXPORT, LISTEN, MERGE
from .responses import draft_or_404

_KEY = re.compile(r"[0-9]{1,18}")
"""Of a row, as every database takes it."""


def enroll(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Upload or record somebody's voice."""
    user = _need(request, ENROLL)
    speaker = get_object_or_404(Speaker, uuid=key)
    text = enrollment.current_consent_text()
    has_consent = enrollment.valid_consent(speaker) is not None
    form = EnrollForm(request.POST or None, request.FILES or None, needs_consent=not has_consent)
    if form.is_valid() and form.audio is not None:
        if not has_consent and text:
            enrollment.record_consent(speaker, text, by=user)
        draft = enrollment.begin(form.audio, source=form.cleaned_data["source"], by=user, speaker=speaker)
        return redirect("admin:speakers_enrollment", draft.uuid)
    title = _("Enroll %(name)s") % {"name": speaker.name}
    return _page(request, "enroll", title, speaker=speaker, form=form, text=text, has_consent=has_consent)


def decide(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show the verdict on a recording, and take the decision to store it or not."""
    user = _need(request, ENROLL)
    draft = draft_or_404(user, key)
    verdict = Verdict.of(draft)
    form = DecideForm(request.POST or None, is_doubtful=verdict is not None and not verdict.is_good)
    if request.method == "POST" and "discard" in request.POST:
        speaker = draft.speaker
        lifecycle.discard(draft)
        messages.success(request, _("The recording was deleted."))
        return _to_speaker(speaker)
    if request.method == "POST" and form.is_valid() and draft.speaker and _stores(request, draft, user):
        return _to_speaker(draft.speaker)
    return _page(
        request,
        "decide",
        _("Is this recording good enough?"),
        speaker=draft.speaker,
        draft=draft,
        form=form,
        job=enrollment.assessment_of(draft),
        **_explained(verdict),
    )


def _stores(request: HttpRequest, draft: Enrollment, user: User) -> bool:
    """Store a recording that was decided on, and tell the person; return whether that was possible."""
    assert draft.speaker is not None
    try:
        enrollment.approve(draft, draft.speaker, by=user)
    except EnrollmentError as error:
        messages.error(request, str(error))
        return False
    messages.success(request, _("The voice is enrolled: it is recognised from now on."))
    return True


def verdict(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Tell the page of a recording, as JSON, if there is something new to show."""
    draft = draft_or_404(_need(request, ENROLL), key)
    job = enrollment.assessment_of(draft)
    return JsonResponse({"is_judged": draft.verdict is not None, "has_failed": bool(job and job.error)})


def enrollment_audio(request: HttpRequest, key: uuid.UUID) -> HttpResponse | FileResponse:
    """Send a recording that is to be decided on."""
    return responses.recording(draft_or_404(_need(request, ENROLL), key))


def voiceprint_audio(request: HttpRequest, key: uuid.UUID) -> HttpResponse | FileResponse:
    """Send the recording of a voiceprint; that somebody listened is on record."""
    user = _need(request, LISTEN)
    voiceprint = get_object_or_404(Voiceprint.objects.select_related("speaker"), uuid=key)
    return responses.voiceprint_recording(voiceprint, by=user)


def export_speaker(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Export everything that is kept of somebody, as a ZIP."""
    user = _need(request, EXPORT)
    speaker = get_object_or_404(Speaker, uuid=key)
    if request.method != "POST":
        title = _("Export everything kept about %(name)s") % {"name": speaker.name}
        return _page(request, "export", title, speaker=speaker)
    try:
        return responses.archive(speaker, by=user)
    except Undecipherable as error:
        messages.error(request, str(error))
        return _to_speaker(speaker)


def merge(request: HttpRequest) -> HttpResponse:
    """Merge several entries for one person."""
    user = _need(request, MERGE)
    keys = [int(key) for key in request.GET.get("speakers", "").split(",") if _KEY.fullmatch(key)]
    speakers = Speaker.objects.filter(pk__in=keys)
    if speakers.count() < 2:
        messages.error(request, _("Choose at least two speakers to merge."))
        return redirect("admin:speakers_speaker_changelist")
    form = MergeForm(request.POST or None, speakers=speakers)
    if form.is_valid():
        kept: Speaker = form.cleaned_data["kept"]
        others = list(speakers.exclude(pk=kept.pk))
        lifecycle.merge_all(kept, others, by=user)
        messages.success(
            request,
            ngettext(
                "%(count)d speaker was merged into %(name)s.",
                "%(count)d speakers were merged into %(name)s.",
                len(others),
            )
            % {"count": len(others), "name": kept.name},
        )
        return _to_speaker(kept)
    return _page(request, "merge", _("Merge speakers"), form=form, speakers=speakers)


def _need(request: HttpRequest, permission: str) -> User:
    if not request.user.is_authenticated or not request.user.has_perm(permission):
        raise PermissionDenied
    return request.user


def _explained(verdict: Verdict | None) -> dict[str, Any]:
    """Put a verdict in words, for the page."""
    if verdict is None:
        return {"verdict": None}
    names = dict(Speaker.objects.filter(pk__in=[key for key, _ in verdict.nearest]).values_list("pk", "name"))
    return {
        "verdict": verdict,
        "problems": [(problem, enrollment.describe(problem)) for problem in verdict.problems],
        "is_one_voice": Problem.SEVERAL_VOICES not in verdict.problems,
        "clipped_percent": 100 * verdict.clipped,
        "nearest": [(names[key], probability(odds)) for key, odds in verdict.nearest if key in names],
    }


def _to_speaker(speaker: Speaker | None) -> HttpResponse:
    if speaker is None:
        return redirect("admin:speakers_speaker_changelist")
    return redirect("admin:speakers_speaker_change", speaker.pk)


def _page(request: HttpRequest, name: str, title: str, **context: Any) -> TemplateResponse:
    frame = admin.site.each_context(request) | {"title": title, "opts": Speaker._meta}
    return TemplateResponse(request, f"speakers/{name}.html", frame | context)
