"""Files to transcribe, by HTTP: sent by tus 1.0, asked for, called off. See docs/uploads.md."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema
from ninja.errors import HttpError
from ninja.security import HttpBasicAuth
from ninja.utils import check_csrf

from audit import log
from audit.models import Action
from recognition.audio import milliseconds
from sessions_app import hotword_spelling, model_sets
from sessions_app.access import decision, permissions, quotas
from sessions_app.access.decision import Right
from sessions_app.access.quotas import Kind
from sessions_app.minutes import language_model
from sessions_app.store import usage
from sessions_app.uploads import reasons, store, tus
from sessions_app.uploads.tus import Announcement, UploadError
from sessions_app.wire.own_protocol import bearer_token
from sessions_app.wire.protocol import ProtocolError, parse_session_key

from ..models import AccessToken, Session, Upload

router = Router(tags=["uploads"])

State = Upload.State

MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever sends files: an account, a program by its token, or somebody at this machine."""

    user: User | None = None
    token: AccessToken | None = None

    @property
    def uploads(self) -> QuerySet[Upload]:
        return Upload.objects.filter(owner=self.user, token=self.token)


class MaySend(HttpBasicAuth):
    """Door for those who may record, asked before anything that was sent is read."""

    def __call__(self, request: HttpRequest) -> Sender | None:
        if secret := bearer_token(request.headers):
            return _by_token(secret)
        if "Authorization" in request.headers:
            user = super().__call__(request)
            return _checked(request, user) if user else None
        if request.user.is_authenticated:
            if check_csrf(request):
                raise HttpError(403, _("A page must send its CSRF token; a program uses HTTP Basic."))
            return _checked(request, request.user)
        if Right.SEND not in permissions.rights(request, None):
            return None
        _check_origin(request)
        return Sender()

    def authenticate(self, request: HttpRequest, username: str, password: str) -> User | None:
        user = authenticate(request, username=username, password=password)
        if user is not None:
            request.user = user
        return user


def _by_token(secret: str) -> Sender | None:
    token = AccessToken.find(secret)
    if token is None or not token.is_good():
        return None
    if not token.admits(AccessToken.Role.SENDER, ""):
        raise HttpError(403, _("This token does not allow sending recordings to any meeting."))
    token.note_use()
    return Sender(token=token)


def _checked(request: HttpRequest, user: Any) -> Sender:
    if Right.SEND not in permissions.granted(user, None):
        raise HttpError(
            403, _("Your account may not record. Whoever looks after accounts here can allow it.")
        )
    return Sender(user=user)


def _check_origin(request: HttpRequest) -> None:
    """Let no page of others use that nobody has to log in at this machine."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not decision.is_origin_allowed(
        headers,
        scheme=request.scheme or "http",
        allowed_hosts=settings.ALLOWED_HOSTS,
        trusted_origins=settings.CSRF_TRUSTED_ORIGINS,
    ):
        raise HttpError(403, _("You do not have permission to do this."))


may_send = MaySend()


class UploadOut(Schema):
    """A file on its way to become a meeting."""

    id: uuid.UUID
    name: str
    state: str = Field(description=", ".join(State))
    size: int
    received: int = Field(description="Bytes that have come.")
    before: int = Field(description="Files that are transcribed before this one, while it waits.")
    duration_ms: int = Field(description="Of the recording; 0 while that is not known.")
    done_ms: int = Field(description="Transcribed so far.")
    session: str | None = Field(description="ID of the meeting, once it has begun.")
    url: str | None = Field(description="Address of the meeting's page.")
    error: str = Field(description="Why it failed, in words; empty otherwise.")
    created_at: datetime
    finished_at: datetime | None


def told(upload: Upload, *, before: int = 0) -> dict[str, Any]:
    """Return an upload as programs and pages get it."""
    session = upload.session
    return {
        "id": upload.key,
        "name": upload.name,
        "state": upload.state,
        "size": upload.size,
        "received": upload.received,
        "before": before,
        "duration_ms": milliseconds(upload.samples),
        "done_ms": milliseconds(session.durable) if session else 0,
        "session": session.key if session else None,
        "url": reverse("session", args=[session.key]) if session else None,
        "error": reasons.in_words(upload.error),
        "created_at": upload.created_at,
        "finished_at": upload.finished_at,
    }


def _told_all(uploads: list[Upload]) -> list[dict[str, Any]]:
    """Return several, with how many are before each."""
    waiting = list(
        Upload.objects.filter(state=State.WAITING).order_by("created_at", "pk").values_list("pk", flat=True)
    )
    places = {pk: place for place, pk in enumerate(waiting)}
    return [told(each, before=places.get(each.pk, 0)) for each in uploads]


View = Callable[..., Any]


def in_tus(view: View) -> View:
    """Speak tus: refuse other versions, and say refusals as that protocol does."""

    @wraps(view)
    def spoken(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            tus.check_version(_headers(request))
            response: HttpResponse = view(request, *args, **kwargs)
        except UploadError as error:
            raise HttpError(error.status, str(error)) from None
        response["Tus-Resumable"] = tus.VERSION
        response["Cache-Control"] = "no-store"
        return response

    return spoken


@router.get("/uploads/", auth=may_send, response=list[UploadOut])
def list_uploads(request: HttpRequest) -> Any:
    """List the files that you have sent, the newest first."""
    uploads = _sender(request).uploads.select_related("session").order_by("-pk")[:MAX_LISTED]
    return _told_all(list(uploads))


@router.api_operation(["OPTIONS"], "/uploads/", auth=None, include_in_schema=False)
def offer_tus(request: HttpRequest) -> HttpResponse:
    """Say what is spoken here, as tus has it."""
    response = HttpResponse(status=204)
    response["Tus-Resumable"] = response["Tus-Version"] = tus.VERSION
    response["Tus-Extension"] = "creation,termination"
    response["Tus-Max-Size"] = str(settings.MAX_UPLOAD_MB * 2**20)
    return response


@router.post("/uploads/", auth=may_send, response={201: None})
@in_tus
def create_upload(request: HttpRequest) -> Any:
    """Announce a file (tus: Upload-Length, Upload-Metadata); the answer's Location takes its bytes."""
    sender = _sender(request)
    asked = tus.parse_creation(_headers(request))
    _check(asked)
    if sender.user:
        _check_quota(sender.user)
    upload = store.begin(asked, owner=sender.user, token=sender.token)
    log.record(Action.MEETING_SENT, meeting=upload.session_key)
    response = HttpResponse(status=201)
    response["Location"] = reverse("api:show_upload", args=[upload.key])
    return response


@router.get("/uploads/{uuid:key}", auth=may_send, response=UploadOut)
def show_upload(request: HttpRequest, key: uuid.UUID) -> Any:
    """Tell how far a file is."""
    return _told_all([_find(request, key)])[0]


@router.api_operation(["HEAD"], "/uploads/{uuid:key}", auth=may_send, include_in_schema=False)
@in_tus
def resume_upload(request: HttpRequest, key: uuid.UUID) -> Any:
    """Say where to go on, as tus has it."""
    upload = _find(request, key)
    response = HttpResponse()
    response["Upload-Offset"] = str(upload.received)
    response["Upload-Length"] = str(upload.size)
    return response


@router.patch("/uploads/{uuid:key}", auth=may_send, response={204: None})
@in_tus
def append_to_upload(request: HttpRequest, key: uuid.UUID) -> Any:
    """Send a piece (tus: Upload-Offset) of at most 50 MB; after the last one the file is transcribed."""
    offset = tus.parse_piece(_headers(request))
    upload = store.append(_find(request, key), offset, request.read())
    response = HttpResponse(status=204)
    response["Upload-Offset"] = str(upload.received)
    return response


@router.delete("/uploads/{uuid:key}", auth=may_send, response={204: None})
def cancel_upload(request: HttpRequest, key: uuid.UUID) -> Any:
    """Call a file off; what was transcribed stays. One that is done or failed is taken out of the list."""
    store.cancel(_find(request, key))
    response = HttpResponse(status=204)
    response["Tus-Resumable"] = tus.VERSION
    return response


def _sender(request: HttpRequest) -> Sender:
    sender: Sender = request.auth  # type: ignore[attr-defined] # ninja puts it there
    return sender


def _headers(request: HttpRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _find(request: HttpRequest, key: uuid.UUID) -> Upload:
    return get_object_or_404(_sender(request).uploads.select_related("session"), key=key)


def _check(asked: Announcement) -> None:
    """Refuse what no meeting can be made of. Raises `UploadError`."""
    if asked.models and asked.models not in model_sets.names():
        raise UploadError(
            400, f"models={asked.models!r:.40} is not served: use one of {', '.join(model_sets.names())}"
        )
    _check_words(asked)
    if not asked.session_key:
        return
    try:
        key = parse_session_key(asked.session_key)
    except ProtocolError as error:
        raise UploadError(400, str(error)) from None
    if key != asked.session_key or Session.objects.filter(key=key).exists():
        raise UploadError(409, _("There is a meeting with this ID already: take another one."))


def _check_words(asked: Announcement) -> None:
    """Refuse languages that no model knows, and hotwords that they cannot write."""
    models = asked.models or model_sets.default_name()
    if asked.language and (refusal := model_sets.language_refusal(asked.language, models)):
        raise UploadError(400, refusal)
    if asked.translate and not language_model.is_set_up():
        raise UploadError(400, _("No language model is set up here."))
    if refusal := hotword_spelling.refusal(models, asked.hotwords):
        raise UploadError(400, refusal)


def _check_quota(user: User) -> None:
    limits = usage.limits_of(user.pk)
    found = quotas.exceeded(limits, usage.usage_of(user.pk, limits))
    if found and found is not Kind.SESSIONS:  # a file is no meeting that goes on
        words = {
            Kind.MINUTES: _("Your account has used up its minutes of recordings for these 30 days."),
            Kind.STORAGE: _("Your recordings fill the space that your account has: delete some first."),
        }
        raise UploadError(403, words[found])
