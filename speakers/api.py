"""Speakers for programs: what the pages do, over HTTP, with the same permissions. See docs/speakers.md.

Whoever has a login may use it: with HTTP Basic, or with the cookie of a page of this site.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Field, File, Query, Router, Schema, Status
from ninja.errors import HttpError
from ninja.files import UploadedFile
from ninja.security import HttpBasicAuth
from ninja.utils import check_csrf

from speakers.voiceprints.assessment import Problem
from speakers.voiceprints.scoring import probability

from . import enrollment, lifecycle, responses
from .decoding import decode
from .enrollment import Verdict
from .exceptions import BadRecording, EnrollmentError
from .models import Consent, ConsentText, Enrollment, Speaker, Voiceprint
from .permissions import (
    ADD,
    CHANGE,
    ENROLL,
    EXPORT,
    FORGET,
    FORGET_VOICE,
    LISTEN,
    MERGE,
    VIEW,
    VIEW_CONSENT,
    WITHDRAW,
    user_of,
)

MAX_LISTED = 500
MAX_OFFSET = 2**31 - 1

router = Router(tags=["speakers"])


def _may_answer(*statuses: int) -> dict[str, Any]:
    """Return what the API's description shall say of errors that do not follow from an operation's form."""
    return {"responses": {str(status): {} for status in statuses}}


class Permitted(HttpBasicAuth):
    """Door for logins with this permission; asked before anything that was sent is read."""

    def __init__(self, permission: str) -> None:
        super().__init__()
        self.permission = permission

    def __call__(self, request: HttpRequest) -> User | None:
        user = super().__call__(request) if "Authorization" in request.headers else _logged_in(request)
        if user is None:
            return None
        if not user.has_perm(self.permission):
            raise HttpError(403, _("You do not have permission to do this."))
        return user

    def authenticate(self, request: HttpRequest, username: str, password: str) -> User | None:
        user = authenticate(request, username=username, password=password)
        if user is None:
            return None
        request.user = user  # the history of a row names its author
        return user


def _logged_in(request: HttpRequest) -> User | None:
    if not request.user.is_authenticated:
        return None
    if check_csrf(request):
        raise HttpError(403, _("A page must send its CSRF token; a program uses HTTP Basic."))
    return request.user


Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""What every database can keep: PostgreSQL takes no NUL, and what has a pattern must be valid Unicode."""

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]


class NewSpeaker(Schema):
    """Request for another speaker."""

    name: Name
    note: Text = ""


class SpeakerChange(Schema):
    """Request for another name or note; what is left out stays."""

    name: Name | None = None
    note: Text | None = None


class SpeakerOut(Schema):
    """A speaker, without anything of the voice."""

    id: uuid.UUID = Field(alias="uuid")
    name: str
    note: str
    created_at: datetime


class Speakers(Schema):
    """A page of speakers, and how many there are on all pages."""

    count: int
    speakers: list[SpeakerOut]


class ConsentTextOut(Schema):
    """A text to agree to."""

    id: int
    language: str
    text: str


class Agreement(Schema):
    """Report that a person has agreed."""

    text: int
    """Key of the text that the person agreed to."""


class ConsentOut(Schema):
    """A consent: to which text, since when and until when."""

    id: int
    text: int = Field(alias="text_id")
    given_at: datetime
    expires_at: datetime | None


class VoiceprintOut(Schema):
    """Figures of a voiceprint; its recording has an address of its own."""

    id: uuid.UUID = Field(alias="uuid")
    model: str = Field(alias="model_id")
    speech_s: float
    snr_db: float | None
    source: str
    created_at: datetime


class ProblemOut(Schema):
    """A reason not to store a recording, in words."""

    code: str
    message: str
    is_fatal: bool


class Likeness(Schema):
    """An enrolled speaker who sounds like a recording."""

    id: uuid.UUID
    name: str
    probability: float


class VerdictOut(Schema):
    """Judgement of a recording."""

    length_s: float
    speech_s: float
    snr_db: float
    clipped: float
    is_one_voice: bool
    nearest: list[Likeness]
    problems: list[ProblemOut]
    can_be_stored: bool
    is_good: bool


class EnrollmentOut(Schema):
    """A recording that waits for a decision."""

    id: uuid.UUID
    verdict: VerdictOut | None
    """None until a worker has listened."""

    error: str
    """Why no worker could."""


class Merge(Schema):
    """Request to merge another entry for the same person."""

    gone: uuid.UUID


@router.get("/speakers", auth=Permitted(VIEW), response=Speakers)
def list_speakers(
    request: HttpRequest,
    search: Text = "",
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 100,
) -> dict[str, Any]:
    """List everybody, by name; `search` is a part of the name."""
    found = Speaker.objects.filter(name__icontains=search).order_by("name", "pk")
    return {"count": found.count(), "speakers": list(found[offset : offset + limit])}


@router.post("/speakers", auth=Permitted(ADD), response={201: SpeakerOut})
def add_speaker(request: HttpRequest, new: NewSpeaker) -> Status[Speaker]:
    """Add somebody of whom nothing is enrolled yet."""
    return Status(201, Speaker.objects.create(name=new.name.strip(), note=new.note))


@router.get("/speakers/{uuid:key}", auth=Permitted(VIEW), response=SpeakerOut)
def show_speaker(request: HttpRequest, key: uuid.UUID) -> Speaker:
    """Show one speaker."""
    return _speaker(key)


@router.patch("/speakers/{uuid:key}", auth=Permitted(CHANGE), response=SpeakerOut)
def change_speaker(request: HttpRequest, key: uuid.UUID, change: SpeakerChange) -> Speaker:
    """Change the name or the note; transcripts show the new name."""
    speaker = _speaker(key)
    name = speaker.name if change.name is None else change.name.strip()
    note = speaker.note if change.note is None else change.note
    lifecycle.rename(speaker, name=name, note=note, by=user_of(request))
    return speaker


@router.delete("/speakers/{uuid:key}", auth=Permitted(FORGET), response={204: None})
def forget_speaker(request: HttpRequest, key: uuid.UUID) -> Status[None]:
    """Delete all that is known of somebody; every worker drops the voice."""
    lifecycle.forget(_speaker(key), by=user_of(request))
    return Status(204, None)


@router.post("/speakers/{uuid:key}/merge", auth=Permitted(MERGE), response=SpeakerOut)
def merge(request: HttpRequest, key: uuid.UUID, merge: Merge) -> Speaker:
    """Merge with another entry for the same person: all that belongs to it comes here, and it is deleted."""
    kept, gone = _speaker(key), _speaker(merge.gone)
    if kept == gone:
        raise HttpError(422, _("A speaker cannot be merged with itself."))
    lifecycle.merge(kept, gone, by=user_of(request))
    return kept


@router.get("/speakers/{uuid:key}/export", auth=Permitted(EXPORT), openapi_extra=_may_answer(503))
def export_speaker(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Export everything that is kept of somebody, as a ZIP."""
    return responses.archive(_speaker(key), by=user_of(request))


@router.get("/consent-text", auth=Permitted(ENROLL), response=ConsentTextOut, openapi_extra=_may_answer(404))
def show_consent_text(request: HttpRequest) -> ConsentText:
    """Show the text to agree to, in the language that is asked for if there is one."""
    text = enrollment.current_consent_text()
    if text is None:
        raise HttpError(404, _("There is no consent text yet."))
    return text


@router.get("/speakers/{uuid:key}/consents", auth=Permitted(VIEW_CONSENT), response=list[ConsentOut])
def list_consents(request: HttpRequest, key: uuid.UUID) -> list[Consent]:
    """List the consents of somebody, the newest first."""
    return list(_speaker(key).consents.all())


@router.post("/speakers/{uuid:key}/consents", auth=Permitted(ENROLL), response={201: ConsentOut})
def record_consent(request: HttpRequest, key: uuid.UUID, agreement: Agreement) -> Status[Consent]:
    """Record that somebody agreed to this text."""
    text = get_object_or_404(ConsentText, pk=agreement.text)
    return Status(201, enrollment.record_consent(_speaker(key), text, by=user_of(request)))


@router.delete("/consents/{int:key}", auth=Permitted(WITHDRAW), response={204: None})
def withdraw_consent(request: HttpRequest, key: int) -> Status[None]:
    """Withdraw a consent: what was enrolled under it is deleted."""
    lifecycle.withdraw(
        get_object_or_404(Consent.objects.select_related("speaker"), pk=key), by=user_of(request)
    )
    return Status(204, None)


@router.get("/speakers/{uuid:key}/voiceprints", auth=Permitted(LISTEN), response=list[VoiceprintOut])
def list_voiceprints(request: HttpRequest, key: uuid.UUID) -> list[Voiceprint]:
    """List what is enrolled of somebody, the newest first."""
    return list(_speaker(key).voiceprints.defer("sealed_embedding"))


@router.get("/voiceprints/{uuid:key}/audio", auth=Permitted(LISTEN), openapi_extra=_may_answer(503))
def voiceprint_audio(request: HttpRequest, key: uuid.UUID) -> Any:
    """Send the recording, as FLAC; that somebody listened is on record."""
    voiceprint = get_object_or_404(Voiceprint.objects.select_related("speaker"), uuid=key)
    return responses.voiceprint_recording(voiceprint, by=user_of(request))


@router.delete("/voiceprints/{uuid:key}", auth=Permitted(FORGET_VOICE), response={204: None})
def forget_voiceprint(request: HttpRequest, key: uuid.UUID) -> Status[None]:
    """Delete one recording of somebody; every worker drops what it told of the voice."""
    voiceprint = get_object_or_404(Voiceprint.objects.select_related("speaker"), uuid=key)
    lifecycle.forget_voiceprint(voiceprint, by=user_of(request))
    return Status(204, None)


@router.post(
    "/speakers/{uuid:key}/enrollments",
    auth=Permitted(ENROLL),
    response={202: EnrollmentOut},
    openapi_extra=_may_answer(409),
)
def enroll(
    request: HttpRequest, key: uuid.UUID, recording: Annotated[UploadedFile, File()]
) -> Status[dict[str, Any]]:
    """Send a recording of somebody; a worker listens, and nothing is stored until it is decided."""
    speaker = _speaker(key)
    if enrollment.valid_consent(speaker) is None:
        raise HttpError(409, _("There is no valid consent of this person: record one first."))
    try:
        audio = decode(recording.chunks())
    except BadRecording as error:
        raise HttpError(422, str(error)) from error
    draft = enrollment.begin(audio, source=Voiceprint.Source.UPLOAD, by=user_of(request), speaker=speaker)
    return Status(202, _described(draft))


@router.get("/enrollments/{uuid:key}", auth=Permitted(ENROLL), response=EnrollmentOut)
def show_enrollment(request: HttpRequest, key: uuid.UUID) -> dict[str, Any]:
    """Show the verdict, once a worker has listened."""
    return _described(_draft(request, key))


@router.get("/enrollments/{uuid:key}/audio", auth=Permitted(ENROLL), openapi_extra=_may_answer(503))
def enrollment_audio(request: HttpRequest, key: uuid.UUID) -> Any:
    """Send a recording that waits for a decision, as FLAC."""
    return responses.recording(_draft(request, key))


@router.post(
    "/enrollments/{uuid:key}/store",
    auth=Permitted(ENROLL),
    response={201: VoiceprintOut},
    openapi_extra=_may_answer(409),
)
def store_enrollment(request: HttpRequest, key: uuid.UUID, is_sure: bool = False) -> Status[Voiceprint]:
    """Make a voiceprint of it; `is_sure` if it was listened to and something speaks against it."""
    draft = _draft(request, key)
    verdict = Verdict.of(draft)
    if draft.speaker is None:
        raise HttpError(409, _("It is not decided yet whose voice this is."))
    if verdict and verdict.can_be_stored and not verdict.is_good and not is_sure:
        reasons = " ".join(enrollment.describe(problem) for problem in verdict.problems)
        raise HttpError(409, reasons)
    with _as_conflict():
        return Status(201, enrollment.approve(draft, draft.speaker, by=user_of(request)))


@router.delete("/enrollments/{uuid:key}", auth=Permitted(ENROLL), response={204: None})
def discard_enrollment(request: HttpRequest, key: uuid.UUID) -> Status[None]:
    """Delete a recording that shall not be stored."""
    lifecycle.discard(_draft(request, key))
    return Status(204, None)


def _speaker(key: uuid.UUID) -> Speaker:
    return get_object_or_404(Speaker, uuid=key)


def _draft(request: HttpRequest, key: uuid.UUID) -> Enrollment:
    return responses.draft_or_404(user_of(request), key)


@contextmanager
def _as_conflict() -> Iterator[None]:
    try:
        yield
    except EnrollmentError as error:
        raise HttpError(409, str(error)) from error


def _described(draft: Enrollment) -> dict[str, Any]:
    job = enrollment.assessment_of(draft)
    verdict = Verdict.of(draft)
    return {
        "id": draft.uuid,
        "verdict": None if verdict is None else _in_words(verdict),
        "error": job.error if job else "",
    }


def _in_words(verdict: Verdict) -> dict[str, Any]:
    known = Speaker.objects.in_bulk([key for key, _odds in verdict.nearest])
    return {
        "length_s": verdict.length_s,
        "speech_s": verdict.speech_s,
        "snr_db": verdict.snr_db,
        "clipped": verdict.clipped,
        "is_one_voice": Problem.SEVERAL_VOICES not in verdict.problems,
        "nearest": [
            {"id": known[key].uuid, "name": known[key].name, "probability": probability(odds)}
            for key, odds in verdict.nearest
            if key in known
        ],
        "problems": [
            {"code": problem, "message": enrollment.describe(problem), "is_fatal": problem.is_fatal}
            for problem in verdict.problems
        ],
        "can_be_stored": verdict.can_be_stored,
        "is_good": verdict.is_good,
    }
