"""The pages of teams: who is in them, and what they may do with each other's meetings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audit import log
from audit.models import Action
from speakers.permissions import needs

from ..forms import MemberForm, TeamForm
from ..models import Membership, Team

VIEW, ADD = "sessions_app.view_team", "sessions_app.add_team"
CHANGE, DELETE = "sessions_app.change_team", "sessions_app.delete_team"

MAX_SUGGESTIONS = 200


@needs(VIEW)
def team_list(request: HttpRequest) -> HttpResponse:
    """Show all teams."""
    teams = Team.objects.annotate(size=Count("memberships")).order_by("name")
    return render(request, "teams/list.html", {"teams": teams})


@needs(ADD)
def add_team(request: HttpRequest) -> HttpResponse:
    """Make a team."""
    form = TeamForm(request.POST or None)
    if form.is_valid():
        made = form.save()
        log.record(Action.TEAM_CHANGED, team=made.pk, change="made")
        return redirect("team", made.pk)
    return render(request, "teams/add.html", {"form": form})


@needs(CHANGE)
def team(request: HttpRequest, key: int) -> HttpResponse:
    """Show one team, and change what is said of it."""
    team = get_object_or_404(Team, pk=key)
    form = TeamForm(request.POST or None, instance=team)
    if form.is_valid():
        form.save()
        log.record(Action.TEAM_CHANGED, team=team.pk, change="changed", level=team.level)
        messages.success(request, _("Saved."))
        return redirect("team", team.pk)
    return _page(request, get_object_or_404(Team, pk=key), form, MemberForm())


@require_POST
@needs(CHANGE)
def add_member(request: HttpRequest, key: int) -> HttpResponse:
    """Let somebody join; what is shared with the team is shared with them from now on."""
    team = get_object_or_404(Team, pk=key)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _page(request, team, TeamForm(instance=team), form)
    user = form.cleaned_data["username"]
    Membership.objects.get_or_create(team=team, user=user)
    log.record(Action.TEAM_CHANGED, team=team.pk, change="joined", account=user.pk)
    return redirect("team", team.pk)


@require_POST
@needs(CHANGE)
def remove_member(request: HttpRequest, key: int, user: int) -> HttpResponse:
    """Let somebody leave; what they recorded stays shared, until they share it otherwise."""
    Membership.objects.filter(team=key, user=user).delete()
    log.record(Action.TEAM_CHANGED, team=key, change="left", account=user)
    return redirect("team", key)


@require_POST
@needs(DELETE)
def delete_team(request: HttpRequest, key: int) -> HttpResponse:
    """Delete a team; its meetings stay with those who recorded them."""
    get_object_or_404(Team, pk=key).delete()
    log.record(Action.TEAM_CHANGED, team=key, change="deleted")
    messages.success(request, _("The team was deleted. Its meetings stay with those who recorded them."))
    return redirect("team-list")


def _page(request: HttpRequest, team: Team, form: TeamForm, member_form: MemberForm) -> HttpResponse:
    members = team.members.order_by("username")
    others = User.objects.filter(is_active=True).exclude(teams=team).order_by("username")
    context = {
        "team": team,
        "form": form,
        "member_form": member_form,
        "members": members,
        "suggestions": others.values_list("username", flat=True)[:MAX_SUGGESTIONS],
    }
    return render(request, "teams/team.html", context)
