"""The pages on which voices are enrolled, merged, heard and exported. Each asks for its own permission."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from speakers.voiceprints.assessment import Problem
from speakers.voiceprints.scoring import probability

from . import enrollment, invitations, lifecycle, listing, responses
from .enrollment import Verdict
from .exceptions import EnrollmentError, Undecipherable
from .forms import DecideForm, EnrollForm, MergeForm, PersonForm
from .invitations import Stage
from .models import Consent, Enrollment, Invitation, Speaker, Voiceprint
from .permissions import (
    ADD,
    CHANGE,
    ENROLL,
    EXPORT,
    FORGET_VOICE,
    LISTEN,
    MERGE,
    WITHDRAW,
    needs,
    user_of,
)
from .responses import draft_or_404

MAX_CANDIDATES = 20
"""Other entries that a search for the same person shows."""

MAX_MERGED = 50


@needs(ADD)
def add(request: HttpRequest) -> HttpResponse:
    """Add somebody; whoever may enroll is asked for the voice next."""
    form = PersonForm(request.POST or None)
    if form.is_valid():
        speaker = form.save()
        next_page = "enroll" if request.user.has_perm(ENROLL) else "person"
        return redirect(next_page, speaker.uuid)
    return render(request, "people/add.html", {"form": form})


@require_POST
@needs(CHANGE)
def change(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Change the name and the note; transcripts show the new name."""
    speaker = get_object_or_404(Speaker, uuid=key)
    form = PersonForm(request.POST)
    if form.is_valid():
        known = form.cleaned_data
        lifecycle.rename(speaker, name=known["name"], note=known["note"], by=user_of(request))
        messages.success(request, _("Saved."))
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("person", speaker.uuid)


@needs(ENROLL)
def enroll(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Upload or record somebody's voice."""
    user = user_of(request)
    speaker = get_object_or_404(Speaker, uuid=key)
    text = enrollment.current_consent_text()
    has_consent = enrollment.valid_consent(speaker) is not None
    form = EnrollForm(request.POST or None, request.FILES or None, needs_consent=not has_consent)
    if form.is_valid() and form.audio is not None:
        if not has_consent and text:
            enrollment.record_consent(speaker, text, by=user)
        draft = enrollment.begin(form.audio, source=form.cleaned_data["source"], by=user, speaker=speaker)
        return redirect("enrollment", draft.uuid)
    context = {"speaker": speaker, "form": form, "text": text, "has_consent": has_consent}
    return render(request, "people/enroll.html", context)


@require_POST
@needs(ENROLL)
def invite(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Make a link by which somebody records their own voice."""
    speaker = get_object_or_404(Speaker, uuid=key)
    invitations.invite(speaker, by=user_of(request))
    messages.success(request, _("The link is made: copy it from this page and send it to the person."))
    return _to_person(speaker)


@require_POST
@needs(ENROLL)
def revoke_invitation(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Let a link be good no longer."""
    invitation = get_object_or_404(Invitation.objects.select_related("speaker"), pk=key)
    invitation.delete()
    return _to_person(invitation.speaker)


@never_cache
def record_oneself(request: HttpRequest, token: str) -> HttpResponse:
    """Let the person of a link agree and record their own voice; no login is needed."""
    invitation = _invitation(token)
    stage = invitations.stage_of(invitation)
    is_open = stage in (Stage.OPEN, Stage.AGAIN) and not invitation.is_over
    text = enrollment.current_consent_text()
    form = EnrollForm(
        request.POST if is_open and request.method == "POST" else None,
        request.FILES if is_open and request.method == "POST" else None,
        needs_consent=invitation.consent is None,
    )
    if form.is_valid() and form.audio is not None:
        try:
            invitations.take(invitation, form.audio, None if invitation.consent else text)
            return redirect("record-oneself", token)
        except EnrollmentError as error:
            form.add_error(None, str(error))
    verdict = Verdict.of(invitation.enrollment) if invitation.enrollment else None
    context = {
        "invitation": invitation,
        "token": token,
        "stage": stage,
        "is_open": is_open,
        "problems": [enrollment.describe(problem) for problem in verdict.problems] if verdict else [],
        "form": form,
        "text": text,
    }
    return render(request, "people/record_oneself.html", context)


@require_POST
@never_cache
def withdraw_own(request: HttpRequest, token: str) -> HttpResponse:
    """Let the person of a link take their consent back: the voice is deleted."""
    invitation = _invitation(token)
    invitations.withdraw(invitation)
    return render(request, "people/record_oneself.html", {"invitation": invitation, "stage": "withdrawn"})


def own_verdict(request: HttpRequest, token: str) -> HttpResponse:
    """Tell the page of a link, as JSON, if its recording is judged."""
    stage = invitations.stage_of(_invitation(token))
    return JsonResponse({"is_judged": stage is not Stage.JUDGING, "has_failed": False})


def _invitation(token: str) -> Invitation:
    invitation = invitations.find(token)
    if invitation is None:
        raise Http404(_("This link is not, or no longer, good. Ask whoever sent it for another."))
    return invitation


@needs(ENROLL)
def decide(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Show the verdict on a recording, and take the decision to store it or not."""
    draft = draft_or_404(user_of(request), key)
    verdict = Verdict.of(draft)
    form = DecideForm(request.POST or None, is_doubtful=verdict is not None and not verdict.is_good)
    if request.method == "POST" and "discard" in request.POST:
        speaker = draft.speaker
        lifecycle.discard(draft)
        messages.success(request, _("The recording was deleted."))
        return _to_person(speaker)
    if request.method == "POST" and form.is_valid() and draft.speaker and _stores(request, draft):
        return _to_person(draft.speaker)
    context = {"draft": draft, "speaker": draft.speaker, "form": form, "job": enrollment.assessment_of(draft)}
    return render(request, "people/decide.html", context | _explained(verdict))


def _stores(request: HttpRequest, draft: Enrollment) -> bool:
    """Store a recording that was decided on, and tell the person; return whether that was possible."""
    assert draft.speaker is not None
    try:
        enrollment.approve(draft, draft.speaker, by=user_of(request))
    except EnrollmentError as error:
        messages.error(request, str(error))
        return False
    messages.success(request, _("The voice is enrolled: it is recognised from now on."))
    return True


@needs(ENROLL)
def verdict(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Tell the page of a recording, as JSON, if there is something new to show."""
    return JsonResponse(progress(draft_or_404(user_of(request), key)))


def progress(draft: Enrollment) -> dict[str, bool]:
    """Return how far the judgement of a recording is."""
    job = enrollment.assessment_of(draft)
    return {"is_judged": draft.verdict is not None, "has_failed": bool(job and job.error)}


@needs(ENROLL)
def enrollment_audio(request: HttpRequest, key: uuid.UUID) -> HttpResponse | FileResponse:
    """Send a recording that is to be decided on."""
    return responses.recording(draft_or_404(user_of(request), key))


@needs(LISTEN)
def voiceprint_audio(request: HttpRequest, key: uuid.UUID) -> HttpResponse | FileResponse:
    """Send the recording of a voiceprint; that somebody listened is on record."""
    return responses.voiceprint_recording(_voiceprint(key), by=user_of(request))


@require_POST
@needs(FORGET_VOICE)
def forget_voiceprint(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Delete one recording of somebody, and what it told of the voice."""
    voiceprint = _voiceprint(key)
    lifecycle.forget_voiceprint(voiceprint, by=user_of(request))
    messages.success(request, _("The recording was deleted, and what it told of the voice."))
    return _to_person(voiceprint.speaker)


@require_POST
@needs(WITHDRAW)
def withdraw(request: HttpRequest, key: int) -> HttpResponse:
    """Delete a consent that was taken back, and what was enrolled under it."""
    consent = get_object_or_404(Consent.objects.select_related("speaker"), pk=key)
    lifecycle.withdraw(consent, by=user_of(request))
    messages.success(request, _("The consent was withdrawn. What was enrolled under it is deleted."))
    return _to_person(consent.speaker)


@needs(EXPORT)
def export_speaker(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Export everything that is kept of somebody, as a ZIP."""
    speaker = get_object_or_404(Speaker, uuid=key)
    if request.method != "POST":
        return render(request, "people/export.html", {"speaker": speaker})
    try:
        return responses.archive(speaker, by=user_of(request))
    except Undecipherable as error:
        messages.error(request, str(error))
        return _to_person(speaker)


@needs(MERGE)
def merge(request: HttpRequest) -> HttpResponse:
    """Merge several entries for one person: find the other one, then say which stays."""
    speakers = Speaker.objects.filter(uuid__in=_keys(request.GET.getlist("person")))
    if speakers.count() < 2:
        text = request.GET.get("q", "")
        found = listing.find(Speaker.objects.exclude(pk__in=speakers), text)
        context = {"speaker": speakers.first(), "text": text, "found": found[:MAX_CANDIDATES]}
        return render(request, "people/find_same.html", context)
    form = MergeForm(request.POST or None, speakers=speakers)
    if form.is_valid():
        return _merged(request, form.cleaned_data["kept"], list(speakers))
    return render(request, "people/merge.html", {"form": form, "speakers": speakers})


def _merged(request: HttpRequest, kept: Speaker, speakers: list[Speaker]) -> HttpResponse:
    others = [speaker for speaker in speakers if speaker != kept]
    lifecycle.merge_all(kept, others, by=user_of(request))
    messages.success(
        request,
        ngettext(
            "%(count)d entry was merged into %(name)s.",
            "%(count)d entries were merged into %(name)s.",
            len(others),
        )
        % {"count": len(others), "name": kept.name},
    )
    return _to_person(kept)


def _keys(texts: list[str]) -> list[uuid.UUID]:
    """Return those of the texts that are keys of people."""
    found = []
    for text in texts[:MAX_MERGED]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _explained(verdict: Verdict | None) -> dict[str, Any]:
    """Put a verdict in words, for the page."""
    if verdict is None:
        return {"verdict": None}
    people = Speaker.objects.in_bulk([key for key, _odds in verdict.nearest])
    return {
        "verdict": verdict,
        "problems": [(problem, enrollment.describe(problem)) for problem in verdict.problems],
        "is_one_voice": Problem.SEVERAL_VOICES not in verdict.problems,
        "clipped_percent": 100 * verdict.clipped,
        "nearest": [(people[key], probability(odds)) for key, odds in verdict.nearest if key in people],
    }


def _voiceprint(key: uuid.UUID) -> Voiceprint:
    return get_object_or_404(Voiceprint.objects.select_related("speaker"), uuid=key)


def _to_person(speaker: Speaker | None) -> HttpResponse:
    return redirect("person", speaker.uuid) if speaker else redirect("person-list")
