"""Teams are made, joined and left by those who keep them; for the rights see `sessions_app/test_teams`."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sessions_app import teams
from sessions_app.access import permissions
from sessions_app.access.decision import Level
from sessions_app.models import Membership, Team

from ..meetings import make_session, make_user

pytestmark = pytest.mark.django_db


def logged_in(user: User) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.force_login(user)
    return client


@pytest.fixture
def client() -> Client:
    return logged_in(make_user("manager", "manager"))


@pytest.fixture
def team() -> Team:
    return Team.objects.create(name="Design")


def test_a_team_is_made_and_asked_for_its_members(client: Client) -> None:
    response = client.post("/teams/new/", {"name": "Design", "level": "edit"})

    team = Team.objects.get()
    assert (team.name, team.level) == ("Design", "edit")
    assert response["Location"] == reverse("team", args=[team.pk])


def test_no_two_have_one_name(client: Client, team: Team) -> None:
    page = client.post("/teams/new/", {"name": "Design", "level": "read"})

    assert "There is a team of this name already." in page.text
    assert Team.objects.count() == 1


def test_it_is_renamed_and_a_bad_name_changes_nothing(client: Client, team: Team) -> None:
    client.post(reverse("team", args=[team.pk]), {"name": "Sales", "level": "read"})
    page = client.post(reverse("team", args=[team.pk]), {"name": "", "level": "read"})

    team.refresh_from_db()
    assert (team.name, team.level) == ("Sales", "read")
    assert "<h1>Sales</h1>" in page.text


def test_who_joins_sees_what_is_shared_and_who_leaves_does_not(client: Client, team: Team) -> None:
    anna, ben = make_user("anna", "transcriber"), make_user("ben")
    session = make_session(owner=anna)
    teams.share(session, team, Level.READ)

    client.post(reverse("add-member", args=[team.pk]), {"username": "ben"})
    client.post(reverse("add-member", args=[team.pk]), {"username": "ben"})
    assert Membership.objects.count() == 1
    assert permissions.granted(ben, session)

    client.post(reverse("remove-member", args=[team.pk, ben.pk]))
    assert not permissions.granted(ben, session)


@pytest.mark.parametrize("name", ["nobody", "closed"])
def test_only_an_open_account_joins(client: Client, team: Team, name: str) -> None:
    make_user("closed")
    User.objects.filter(username="closed").update(is_active=False)

    page = client.post(reverse("add-member", args=[team.pk]), {"username": name})

    assert f"There is no account “{name}”." in page.text
    assert not Membership.objects.exists()


def test_deleting_a_team_takes_no_meeting_with_it(client: Client, team: Team) -> None:
    anna = make_user("anna", "transcriber")
    session = make_session(owner=anna)
    teams.share(session, team, Level.EDIT)

    client.post(reverse("delete-team", args=[team.pk]))

    assert not Team.objects.exists()
    assert permissions.granted(anna, session)


def test_everybody_chooses_the_teams_that_have_their_recordings(team: Team) -> None:
    anna = make_user("anna", "transcriber")
    other = Team.objects.create(name="Sales")
    foreign = Team.objects.create(name="Board")
    team.members.add(anna)
    other.members.add(anna)

    logged_in(anna).post(reverse("share-recordings"), {"team": [str(other.pk), str(foreign.pk), "x"]})

    chosen = {membership.team.name: membership.shares_recordings for membership in anna.memberships.all()}
    assert chosen == {"Design": False, "Sales": True}


@pytest.mark.parametrize("role", ["viewer", "editor", "enroller"])
def test_teams_are_kept_by_managers_alone(role: str, team: Team) -> None:
    client = logged_in(make_user("anna", role))
    team.members.add(User.objects.get(username="anna"))

    for name, arguments in (
        ("team-list", []), ("add-team", []), ("team", [team.pk]), ("add-member", [team.pk]),
        ("remove-member", [team.pk, 1]), ("delete-team", [team.pk]),
    ):  # fmt: skip
        sent = {"name": "x", "level": "read", "username": "anna"}
        assert client.post(reverse(name, args=arguments), sent).status_code == 403, name
    assert Team.objects.get().members.count() == 1
