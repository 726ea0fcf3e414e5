"""Templates of minutes: which there are, and which one a meeting is written by."""

from __future__ import annotations

from typing import Any

from minutes.llm.prompts import Wish
from sessions_app.models import MinutesTemplate, Session


def of(session: Session) -> MinutesTemplate | None:
    """Return the template of a meeting: the one that was chosen, else that of a team that has it."""
    return session.minutes_template or _of_teams(session)


def called(session: Session, key: int | None) -> MinutesTemplate | None:
    """Return the template of this key, or the meeting's own: if None is given, the one that was chosen."""
    if key is None:
        return of(session)
    return MinutesTemplate.objects.filter(pk=key).first() or _of_teams(session)


def choose(session: Session, key: int | None) -> None:
    """Have a meeting written by this template from now on; None leaves it as it is, 0 is that of a team."""
    if key is None:
        return
    session.minutes_template = MinutesTemplate.objects.filter(pk=key).first()
    Session.objects.filter(pk=session.pk).update(minutes_template=session.minutes_template)


def _of_teams(session: Session) -> MinutesTemplate | None:
    return MinutesTemplate.objects.filter(pk__in=session.shares.values("team__minutes_template")).first()


def wish_of(template: MinutesTemplate | None) -> Wish:
    """Return what a template asks for; nothing where there is none."""
    if template is None:
        return Wish()
    return Wish(template.instructions, tuple(template.sections), template.language)


def wish(session: Session) -> Wish:
    """Return what is asked for of a meeting."""
    return wish_of(of(session))


def choices(session: Session) -> list[dict[str, Any]]:
    """Return all there are, as pages get them."""
    chosen = of(session)
    return [
        {"id": each.pk, "name": each.name, "is_chosen": each == chosen}
        for each in MinutesTemplate.objects.all()
    ]
