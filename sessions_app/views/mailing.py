"""Minutes by e-mail, by HTTP: what would be sent to whom, and sending it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sessions_app import teams
from sessions_app.access import permissions
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session
from sessions_app.minutes.requests import BadMinutesRequest, MinutesError
from sessions_app.transcripts import mailing
from sessions_app.transcripts.mailing import NotMailed
from sessions_app.wire.untrusted import json_field

from ..models import Session


@require_http_methods(["GET", "POST"])
@for_session(Right.EDIT)
def mail(request: HttpRequest, session: Session) -> HttpResponse:
    """GET: tell what would be sent, and to whom it can go. POST {"people": [ID]}: send it to them.

    400: the request makes no sense. 422: it cannot be sent.
    """
    if not mailing.is_set_up():
        raise Http404(_("No mail server is set up here."))
    assert request.user.is_authenticated
    url = request.build_absolute_uri(session.get_absolute_url())
    people = _people(session, request.user)
    try:
        letter = mailing.letter(session, by=request.user, url=url)
        if request.method == "GET":
            return JsonResponse(_shown(letter, people))
        chosen = _chosen(request.body, people)
        refused = mailing.send(session, letter, chosen, by=request.user)
    except BadMinutesRequest as error:
        return JsonResponse({"error": str(error)}, status=400)
    except MinutesError as error:
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse(
        {"sent": len(chosen) - len(refused), "refused": [person.get_username() for person in refused]}
    )


def _people(session: Session, by: User) -> list[User]:
    """Return those of the people of the meeting, and who sends, who may see it and have an address."""
    meant = Q(pk__in=teams.people_of(session).values("pk")) | Q(pk=by.pk)
    rows = User.objects.filter(meant).exclude(email="").order_by("username")
    return [person for person in rows if Right.READ in permissions.granted(person, session)]


def _shown(letter: mailing.Letter, people: list[User]) -> dict[str, object]:
    return {
        "people": [
            {"id": person.pk, "name": person.get_username(), "address": person.email} for person in people
        ],
        "subject": letter.subject,
        "text": letter.text,
        "has_tasks": letter.tasks is not None,
    }


def _chosen(body: bytes, people: list[User]) -> list[User]:
    """Return the people whom a request names, each once."""
    keys = json_field(body, "people")
    if not isinstance(keys, list) or not all(isinstance(key, int) for key in keys):
        raise BadMinutesRequest(_("The request must say to whom: a list of “people”."))
    by_key = {person.pk: person for person in people}
    if not by_key.keys() >= set(keys):
        raise NotMailed(_("Somebody of them has no address here, or may not see this meeting."))
    return [by_key[key] for key in dict.fromkeys(keys)]
