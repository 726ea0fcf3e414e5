"""Writing rules: offered where a line was corrected, listed on a page for those who may see them all."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit import log
from audit.models import Action
from recognition.writing.corrections import correction
from sessions_app.access.decision import Right
from sessions_app.access.permissions import for_session, visible_sessions
from sessions_app.store import writing_rules
from sessions_app.store.writing_rules import BadRule
from sessions_app.transcripts.rule_suggestions import known_names, suggestions
from sessions_app.wire.untrusted import read_json
from speakers.permissions import needs, user_of

from ..models import Session, WritingRule

VIEW, ADD = "sessions_app.view_writingrule", "sessions_app.add_writingrule"
DELETE = "sessions_app.delete_writingrule"

MAX_TEXT = 2000
MAX_SHOWN = 1000


@needs(VIEW)
def rule_list(request: HttpRequest) -> HttpResponse:
    """Show all rules, and what could be others."""
    seen = visible_sessions(request)
    rules = WritingRule.objects.filter(Q(session=None) | Q(session__in=seen))
    context = {
        "rules": rules.select_related("session", "made_by").order_by("-made_at")[:MAX_SHOWN],
        "suggestions": suggestions(seen) if request.user.has_perm(ADD) else [],
    }
    return render(request, "rules.html", context)


@require_POST
@needs(ADD)
def add(request: HttpRequest) -> HttpResponse:
    """Keep a rule for every meeting."""
    try:
        rule = writing_rules.add(
            request.POST.get("wrong", ""), request.POST.get("right", ""), by=user_of(request)
        )
    except BadRule as error:
        messages.error(request, str(error))
    else:
        log.record(Action.RULE_CHANGED, rule=rule.pk, change="made")
        messages.success(request, _("From now on: %(rule)s") % {"rule": rule})
    return redirect("rule-list")


@require_POST
@needs(DELETE)
def remove(request: HttpRequest, key: int) -> HttpResponse:
    """Forget a rule; what it has written stays."""
    rule = get_object_or_404(WritingRule, Q(session=None) | Q(session__in=visible_sessions(request)), pk=key)
    rule.delete()
    log.record(Action.RULE_CHANGED, rule=key, change="deleted")
    messages.success(request, _("The rule was deleted. Lines that it has changed stay as they are."))
    return redirect("rule-list")


# Where lines are corrected.


@require_GET
@for_session(Right.EDIT)
def propose(request: HttpRequest, session: Session) -> JsonResponse:
    """Tell what rule a correction could become: of a line that was `before` and is `after`."""
    before, after = (request.GET.get(name, "")[:MAX_TEXT] for name in ("before", "after"))
    voices = session.voices.exclude(speaker=None).values_list("speaker__name", flat=True)
    found = correction(before, after, {*known_names(), *voices})
    if found is None or WritingRule.objects.filter(session=None, wrong=found[0], right=found[1]).exists():
        return JsonResponse({"rule": None})
    rule = {"wrong": found[0], "right": found[1]}
    return JsonResponse({"rule": rule, "may_everywhere": request.user.has_perm(ADD)})


@require_POST
@for_session(Right.EDIT)
def keep(request: HttpRequest, session: Session) -> JsonResponse:
    """Keep a rule for this meeting, or for every one; answer with its key.

    400: the request makes no sense. 422: the rule makes none.
    """
    asked = _asked(request)
    if asked is None:
        return JsonResponse({"error": _("This request makes no sense.")}, status=400)
    if asked["everywhere"] and not request.user.has_perm(ADD):
        raise PermissionDenied(_("You do not have permission to do this."))
    try:
        rule = writing_rules.add(
            asked["wrong"],
            asked["right"],
            session=None if asked["everywhere"] else session,
            by=user_of(request),
        )
    except BadRule as error:
        return JsonResponse({"error": str(error)}, status=422)
    where = {} if asked["everywhere"] else {"meeting": session.key}
    log.record(Action.RULE_CHANGED, rule=rule.pk, change="made", **where)
    return JsonResponse({"rule": rule.pk})


def _asked(request: HttpRequest) -> dict[str, Any] | None:
    """Return the fields of the request; None if they are not those of a rule."""
    try:
        asked = read_json(request.body)
    except ValueError:
        return None
    kinds = {"wrong": str, "right": str, "everywhere": bool}
    if not isinstance(asked, dict) or any(type(asked.get(name)) is not kind for name, kind in kinds.items()):
        return None
    return asked
