"""Sessions for programs: found, read, begun, renamed, ended and put into the trash."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any, Literal

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Status
from ninja.errors import HttpError

from recognition.hotwords import Hotword
from sessions_app import hotword_spelling, model_sets
from sessions_app.access import permissions, quotas
from sessions_app.access.decision import Right
from sessions_app.catalogue import listing, trash
from sessions_app.catalogue.listing import ListingForm
from sessions_app.models import Session, Utterance
from sessions_app.store import commits, queries, translations, usage
from sessions_app.transcripts import editing, search
from sessions_app.transcripts.edit_requests import ChangeTitle
from sessions_app.transcripts.retention import StillLive
from sessions_app.views.sharing import ask_to_end
from sessions_app.wire import languages
from sessions_app.wire.hotword_lists import BadHotwords, checked
from sessions_app.wire.protocol import ProtocolError, parse_session_key
from speakers.models import Speaker

from . import answers, doors
from .doors import DOOR, session_for
from .schemas import (
    MAX_LISTED,
    Failure,
    FoundPage,
    Lines,
    NewSession,
    SessionChange,
    SessionOut,
    SessionPage,
    State,
    Text,
    TranslationsOut,
    VoiceOut,
)

router = Router(tags=["sessions"], auth=DOOR)

MAX_BEFORE = 2**62

Before = Annotated[int | None, Query(ge=1, le=MAX_BEFORE, description="What the page before told as `next`.")]
Size = Annotated[int, Query(ge=1, le=MAX_LISTED, description="How many at most.")]


class Filters(ListingForm):
    """The list's form, filled in by a program: what does not exist finds nothing."""

    def is_void(self) -> bool:
        """Tell whether something is asked for by a name that nothing has."""
        self.is_valid()
        return bool(self.errors)


def _filters(request: HttpRequest, asked: dict[str, Any], speaker: uuid.UUID | None) -> Filters:
    if speaker is not None:
        asked |= {"speaker": Speaker.objects.filter(uuid=speaker).values_list("pk", flat=True).first() or 0}
    return Filters({name: value for name, value in asked.items() if value is not None}, request.user)


@router.get("/sessions", response=SessionPage)
def list_sessions(
    request: HttpRequest,
    state: Annotated[
        Literal["live", "ended"] | None, Query(description="Those that go on, or are over.")
    ] = None,
    speaker: Annotated[
        uuid.UUID | None, Query(description="Id of an enrolled person who speaks there.")
    ] = None,
    first_day: Annotated[date | None, Query(description="Begun on this day or later.")] = None,
    last_day: Annotated[date | None, Query(description="Begun on this day or before.")] = None,
    tag: Annotated[Text | None, Query(description="Name of a tag that they have.")] = None,
    folder: Annotated[Text | None, Query(description="Name of the folder that they are in.")] = None,
    favourites: Annotated[bool, Query(description="Your favourites only.")] = False,
    empty: Annotated[bool, Query(description="Also those in which nobody spoke.")] = False,
    before: Before = None,
    limit: Size = listing.PAGE,
) -> dict[str, Any]:
    """List the meetings that you may see, the newest first. What was said in them is found by `/search`."""
    asked = {"state": state, "first_day": first_day, "last_day": last_day, "tag": tag, "folder": folder}
    form = _filters(request, asked | {"favourites": favourites, "empty": empty}, speaker)
    known = permissions.listed_sessions(request).select_related("owner")
    sessions = known.none() if form.is_void() else form.hide_empty(form.narrow(known))
    page = listing.read_page(sessions, before=before, user=request.user, size=limit)
    return {"sessions": [answers.row(found) for found in page.rows], "next": page.next_before}


@router.get("/search", response=FoundPage)
def search_lines(
    request: HttpRequest,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00]*[^\s\x00][^\x00]*$",
            description="What was said, or a title.",
        ),
    ],
    speaker: Annotated[uuid.UUID | None, Query(description="Id of an enrolled person who said it.")] = None,
    first_day: Annotated[date | None, Query(description="In meetings begun on this day or later.")] = None,
    last_day: Annotated[date | None, Query(description="In meetings begun on this day or before.")] = None,
    before: Before = None,
    limit: Size = listing.HITS,
) -> dict[str, Any]:
    """Search what was said in all meetings that you may see: any piece of a line, from two characters on."""
    form = _filters(request, {"first_day": first_day, "last_day": last_day}, speaker)
    known = permissions.listed_sessions(request).select_related("owner")
    if form.is_void():
        return {"sessions": [], "lines": [], "next": None}
    keys = search.find_newest(form.narrow_lines(known), q, limit + 1, before=before)
    lines = Utterance.objects.filter(pk__in=keys[:limit]).select_related("session", "voice__speaker")
    called_so = form.narrow(known).filter(listing.called(q))
    titles = [] if before else listing.read_page(called_so, before=None, size=listing.TITLES).rows
    return {
        "sessions": [answers.row(found) for found in titles],
        "lines": [answers.found_line(line) for line in lines.defer("tokens").order_by("-pk")],
        "next": keys[limit - 1] if len(keys) > limit else None,
    }


@router.post("/sessions", response={201: SessionOut, 402: Failure, 409: Failure})
def begin_session(request: HttpRequest, new: NewSession) -> Status[dict[str, Any]]:
    """Begin a meeting before anybody speaks: it has its title, and can be shared.

    It waits for its sender for ten minutes, then it ends. A sender needs no such meeting: the first one that
    connects with a new id begins it.
    """
    key = _new_key(new.id)
    doors.check_may_begin(request, key)
    if new.models and new.models not in (served := model_sets.names()):
        raise HttpError(
            422, _("There is no such model set. There are: %(names)s.") % {"names": ", ".join(served)}
        )
    user = request.user if isinstance(request.user, User) else None
    if user:
        _check_quota(user)
    session, is_new = commits.get_or_create_session(
        key,
        owner=user.pk if user else None,
        title=new.title,
        model_set=new.models,
        resumes=True,
        expected=[str(each) for each in new.expected],
        hotwords=_hotwords(new),
        script=new.script or languages.script(new.language),
        language=_language(new),
        translate=_translate(new),
    )
    if not is_new:
        raise HttpError(409, _("There is a meeting of this ID already: take another one."))
    return Status(201, answers.session(session, doors.rights(request, session)))


def _hotwords(new: NewSession) -> tuple[Hotword, ...]:
    try:
        words = checked(new.hotwords)
    except BadHotwords as error:
        raise HttpError(422, f"hotwords: {error}") from error
    if refusal := hotword_spelling.refusal(new.models or model_sets.default_name(), words):
        raise HttpError(422, refusal)
    return words


def _language(new: NewSession) -> str:
    try:
        code = languages.checked(new.language)
    except languages.BadLanguage as error:
        raise HttpError(422, str(error)) from error
    if code and (refusal := model_sets.language_refusal(code, new.models or model_sets.default_name())):
        raise HttpError(422, refusal)
    return code


def _translate(new: NewSession) -> str:
    if new.translate and not settings.LLM_URL:
        raise HttpError(422, _("No language model is set up here."))
    return new.translate


def _new_key(asked: str) -> str:
    if not asked:
        return commits.new_key()
    try:
        return parse_session_key(asked)
    except ProtocolError as error:
        raise HttpError(422, error.message) from error


def _check_quota(user: User) -> None:
    limits, taken = usage.quota_of(user.pk, begins=True)
    if kind := quotas.exceeded(limits, taken):
        raise HttpError(402, quotas.in_words(kind, limits))


@router.get("/sessions/{key}", response=SessionOut)
def show_session(request: HttpRequest, key: str) -> dict[str, Any]:
    """Show a meeting without its lines."""
    session = session_for(request, key)
    return answers.session(session, doors.rights(request, session))


@router.get("/sessions/{key}/lines", response=Lines)
def list_lines(
    request: HttpRequest,
    key: str,
    words: Annotated[bool, Query(description="With the times of words.")] = False,
    after: Annotated[
        int | None, Query(ge=0, le=MAX_BEFORE, description="Only lines of a higher `seq`.")
    ] = None,
    changed_after: Annotated[
        int | None, Query(ge=0, le=MAX_BEFORE, description="Besides, lines changed behind this `revision`.")
    ] = None,
) -> dict[str, Any]:
    """List the lines of a meeting in their order, as they read now, also while it goes on.

    To follow it, ask again with `after` and `changed_after` as the answer before told `seq` and `revision`;
    or use the socket.
    """
    session = session_for(request, key)
    # The marks first: a line that comes in between is then told twice, and not missed.
    seq, revision = Session.objects.values_list("last_seq", "last_revision").get(pk=session.pk)
    chosen = _chosen_lines(session, after, changed_after)
    kept = queries.with_voices(chosen.filter(is_removed=False)).defer("tokens", "machine_text")
    gone = (
        chosen.filter(is_removed=True).order_by("pk")
        if changed_after is not None
        else Utterance.objects.none()
    )
    return {
        "seq": seq,
        "revision": revision,
        "lines": answers.lines(list(kept.order_by("start", "id")), has_words=words),
        "removed": list(gone.values_list("pk", flat=True)),
    }


def _chosen_lines(session: Session, after: int | None, changed_after: int | None) -> QuerySet[Utterance]:
    if after is None and changed_after is None:
        return session.utterances.all()
    wanted = Q(pk__in=[])
    if after is not None:
        wanted |= Q(seq__gt=after)
    if changed_after is not None:
        wanted |= Q(revision__gt=changed_after)
    return session.utterances.filter(wanted)


@router.get("/sessions/{key}/translations", response=TranslationsOut)
def list_translations(
    request: HttpRequest,
    key: str,
    after: Annotated[int, Query(ge=0, le=MAX_BEFORE, description="Only what came after this `number`.")] = 0,
) -> dict[str, Any]:
    """List the lines of a meeting in the language into which it is translated, some at a time.

    Ask again with the `number` that was told, until no more lines come; or use the socket.
    """
    session = session_for(request, key)
    last, revision = Session.objects.values_list("last_translation", "last_revision").get(pk=session.pk)
    found = translations.after(session.pk, min(after, last), last, revision)
    told = [{"id": line, "text": text} for line, text in found.texts]
    return {"language": found.language, "number": found.number, "lines": told}


@router.get("/sessions/{key}/speakers", response=list[VoiceOut])
def list_session_speakers(request: HttpRequest, key: str) -> list[dict[str, Any]]:
    """List who speaks in a meeting, in the order in which they came."""
    return answers.voices(session_for(request, key))


@router.patch("/sessions/{key}", response={200: SessionOut, 409: Failure})
def rename_session(request: HttpRequest, key: str, change: SessionChange) -> dict[str, Any]:
    """Give a meeting another title; needs a login with the right to edit."""
    session = session_for(request, key, Right.EDIT)
    edit = ChangeTitle(seen=session.title, title=change.title)
    try:
        editing.apply(session, edit, by=doors.user_of(request))
    except editing.Conflict as conflict:
        raise HttpError(409, conflict.message) from conflict
    session.refresh_from_db()
    return answers.session(session, doors.rights(request, session))


@router.post("/sessions/{key}/end", response={202: State})
def end_session(request: HttpRequest, key: str) -> Status[Session]:
    """End a meeting that goes on, as if its sender had; what is recorded by then is recognised."""
    session = session_for(request, key, Right.SEND)
    ask_to_end(session)
    commits.end_unbegun(session.pk)  # no worker has heard it
    session.refresh_from_db()
    return Status(202, session)


@router.delete("/sessions/{key}", response={204: None, 409: Failure})
def trash_session(request: HttpRequest, key: str) -> Status[None]:
    """Put a meeting into the trash, out of which it can be had back for some days. It must have ended."""
    session = session_for(request, key, Right.DELETE)
    try:
        trash.put(session)
    except StillLive as error:
        raise HttpError(409, _("This meeting is still in progress. End it first, then delete it.")) from error
    return Status(204, None)
