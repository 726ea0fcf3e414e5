"""The pages of people: their list, one person, and forgetting one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import VIEW as VIEW_LOG
from sessions_app.access import permissions
from sessions_app.transcripts import appearances
from speakers import enrollment, invitations, lifecycle, listing, on_record
from speakers.forms import PersonForm
from speakers.models import Speaker, Voiceprint
from speakers.permissions import ENROLL, FORGET, LISTEN, VIEW, VIEW_CONSENT, needs, user_of
from speakers.voiceprints.assessment import MAX_SNR_DB, Sound, shortcomings

PER_PAGE = 50
MEETINGS_PER_PAGE = 20
MAX_ENTRIES = 50

SOON_DAYS = 30
"""A consent that has no more days left than this is pointed out."""

ENROLLED = {"yes": True, "no": False}


@needs(VIEW)
def person_list(request: HttpRequest) -> HttpResponse:
    """Show everybody who is known by name, or those who were looked for."""
    text, enrolled = request.GET.get("q", ""), request.GET.get("enrolled", "")
    people = listing.find(Speaker.objects.all(), text)
    if enrolled in ENROLLED:
        people = listing.enrolled(people, is_enrolled=ENROLLED[enrolled])
    page = Paginator(listing.with_voices(people).order_by("name", "pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    counts = appearances.meeting_counts(page.object_list, permissions.visible_sessions(request))
    rows = [(person, counts.get(person.pk, 0), _days_left(person)) for person in page]
    context = {"text": text, "enrolled": enrolled, "page": page, "rows": rows}
    return render(request, "people/list.html", context)


@needs(VIEW)
def person(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show one person: voice, consent, meetings, and what was done with the voice."""
    speaker = get_object_or_404(listing.with_voices(Speaker.objects.all()), uuid=key)
    user = user_of(request)
    sessions = appearances.meetings_of(speaker, permissions.visible_sessions(request))
    page = Paginator(sessions, MEETINGS_PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "speaker": speaker,
        "days_left": _days_left(speaker),
        "form": PersonForm(instance=speaker),
        "page": page,
        "appearances": appearances.appearances(speaker, page.object_list),
    }
    if user.has_perm(LISTEN):
        context["voices"] = _voices(speaker)
    if user.has_perm(ENROLL):
        context["links"] = [
            (invitation, request.build_absolute_uri(reverse("record-oneself", args=[token])))
            for invitation in speaker.invitations.filter(expires_at__gt=timezone.now())
            for token in [invitations.token_of(invitation)]
        ]
        context["drafts"] = enrollment.drafts_of(user).filter(speaker=speaker)
    if user.has_perm(VIEW_CONSENT):
        context["consents"] = speaker.consents.select_related("text", "recorded_by")
    if user.has_perm(VIEW_LOG):
        context["entries"] = on_record.entries_of(speaker)[:MAX_ENTRIES]
    return render(request, "people/person.html", context)


@needs(FORGET)
def forget(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Say what forgetting somebody means, and do it if that is wanted."""
    speaker = get_object_or_404(Speaker, uuid=key)
    if request.method == "POST":
        name = speaker.name
        lifecycle.forget(speaker, by=user_of(request))
        messages.success(request, _("%(name)s was forgotten.") % {"name": name})
        return redirect("person-list")
    context = {
        "speaker": speaker,
        "line_count": appearances.line_count(speaker),
        "voice_count": speaker.voiceprints.count(),
    }
    return render(request, "people/forget.html", context)


def _voices(speaker: Speaker) -> list[tuple[Voiceprint, list[str]]]:
    """Return the enrolled recordings of somebody, each with what could be better about it."""
    voiceprints = speaker.voiceprints.defer("sealed_embedding").select_related("created_by")
    return [(voiceprint, _judged(voiceprint)) for voiceprint in voiceprints]


def _judged(voiceprint: Voiceprint) -> list[str]:
    snr_db = MAX_SNR_DB if voiceprint.snr_db is None else voiceprint.snr_db
    found = shortcomings(Sound(voiceprint.speech_s, snr_db, clipped=0.0))
    return [enrollment.describe(problem) for problem in found]


def _days_left(speaker: Any) -> int | None:
    """Return the days until the last consent of somebody runs out, if that is soon."""
    if speaker.is_endless or speaker.until is None:
        return None
    days: int = (speaker.until - timezone.now()).days
    return days if days <= SOON_DAYS else None
