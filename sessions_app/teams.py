"""Teams, and the sessions that are shared with them and with people: reads and changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Q, QuerySet

from audit import log
from audit.models import Action

from .access.decision import Level
from .models import Membership, Session, Share, Team
from .wire.untrusted import whole_number


def levels(user: User | AnonymousUser, session: Session) -> list[Level]:
    """Return the levels at which a session is shared with a login, by name or by its teams."""
    if not user.is_authenticated or not user.is_active:
        return []
    return [Level(level) for level in _shares(user).filter(session=session).values_list("level", flat=True)]


def is_shared_with(user: User) -> Q:
    """Return a condition on sessions: they are shared with this login, by name or by its teams."""
    return Q(pk__in=_shares(user).values("session"))


def people_of(session: Session) -> QuerySet[User]:
    """Select the people of a session: its owner, and all with whom it is shared, by name or by a team."""
    by_name = Q(shares__session=session)
    by_team = Q(memberships__team__shares__session=session)
    found = User.objects.filter(Q(session=session) | by_name | by_team, is_active=True)
    return User.objects.filter(pk__in=found.values("pk"))


def share_with_teams(session: Session) -> None:
    """Share a new session with the teams of its owner, as far as the owner lets them have recordings."""
    memberships = Membership.objects.filter(user=session.owner_id, shares_recordings=True)
    Share.objects.bulk_create(
        [
            Share(session=session, team=membership.team, level=membership.team.level)
            for membership in memberships.select_related("team")
        ]
    )


def share_like(earlier: Session, session: Session) -> None:
    """Share a new session with all with whom an earlier one is shared."""
    Share.objects.bulk_create(
        Share(session=session, user_id=share.user_id, team_id=share.team_id, level=share.level)
        for share in earlier.shares.all()
    )


def choose_sharing(user: User, teams: Iterable[str]) -> None:
    """Let these teams, by their keys, have what somebody records from now on, and their other teams not."""
    chosen = [key for key in map(whole_number, teams) if key is not None]
    own = Membership.objects.filter(user=user)
    own.filter(team__in=chosen).update(shares_recordings=True)
    own.exclude(team__in=chosen).update(shares_recordings=False)


def share(session: Session, whom: User | Team, level: Level) -> Share:
    """Share a session with a person or a team, or change the level at which it is shared."""
    with transaction.atomic():
        log.record(Action.MEETING_SHARED, meeting=session.key, level=str(level), **_key_of(whom))
        return Share.objects.update_or_create({"level": level}, session=session, **_with(whom))[0]


def unshare(session: Session, whom: User | Team) -> None:
    """Share a session with a person or a team no longer."""
    with transaction.atomic():
        log.record(Action.MEETING_UNSHARED, meeting=session.key, **_key_of(whom))
        Share.objects.filter(session=session, **_with(whom)).delete()


def _with(whom: User | Team) -> dict[str, Any]:
    return {"team": whom} if isinstance(whom, Team) else {"user": whom}


def _key_of(whom: User | Team) -> dict[str, int]:
    return {"team" if isinstance(whom, Team) else "account": whom.pk}


def _shares(user: User) -> QuerySet[Share]:
    teams = Membership.objects.filter(user=user).values("team")
    return Share.objects.filter(Q(user=user) | Q(team__in=teams))
