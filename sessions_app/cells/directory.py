"""Cells of this installation, as the database has them: where each is, which of them take new sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from sessions_app.exceptions import SessionsError
from sessions_app.models import Cell, Session
from speakers.encryption import decrypt, encrypt

from .placement import HOME, ranked

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class CellError(SessionsError):
    """A change of the cells, or a look at one, that makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class CellNote:
    """A cell, and what lives there."""

    name: str
    takes_new: bool
    sessions: int
    """Sessions there that have not ended."""


def names() -> list[str]:
    """Return the names of all cells, home first."""
    return [HOME, *Cell.objects.exclude(name=HOME).values_list("name", flat=True)]


def takers() -> list[str]:
    """Return the names of the cells that take new sessions: at least one."""
    if not settings.REDIS_URL:
        return [HOME]
    drained = set(Cell.objects.filter(takes_new=False).values_list("name", flat=True))
    return [name for name in names() if name not in drained]


def ranked_for(key: str) -> list[str]:
    """Return the cells that may take this new session, as it prefers them."""
    return ranked(key, takers())


def address_of(name: str) -> str:
    """Return the address of a cell's Redis.

    Raises:
        CellError: If there is no such cell.
        Undecipherable: If the key that sealed it is gone.
    """
    if name == HOME:
        return str(settings.REDIS_URL)
    cell = Cell.objects.filter(name=name).first()
    if cell is None or cell.sealed_address is None:
        raise CellError(f"there is no cell {name!r}: manage.py cells lists them")
    return decrypt(bytes(cell.sealed_address)).decode()


def notes() -> list[CellNote]:
    """Return all cells with what lives there, home first."""
    open_to_new = set(takers())
    return [CellNote(name, name in open_to_new, _unfinished(name)) for name in names()]


def add(name: str, address: str) -> None:
    """Add a cell that takes new sessions from now on, or tell that one of this name is elsewhere now.

    Raises:
        CellError: If it cannot be called so.
    """
    if name == HOME or not NAME.fullmatch(name):
        raise CellError(
            f"{name!r} names no cell: use at most 40 small letters, digits and hyphens, and not {HOME!r}"
        )
    Cell.objects.update_or_create(name=name, defaults={"sealed_address": encrypt(address.encode())})


def set_takes_new(name: str, takes_new: bool) -> None:
    """Let a cell take new sessions, or none any more.

    Raises:
        CellError: If there is no such cell, or no other one for new sessions.
    """
    with transaction.atomic():
        if name not in names():
            raise CellError(f"there is no cell {name!r}: there are {', '.join(names())}")
        if not takes_new and set(takers()) <= {name}:
            raise CellError(f"no other cell than {name!r} takes new sessions: add one, or fill one")
        Cell.objects.update_or_create(name=name, defaults={"takes_new": takes_new})


def remove(name: str) -> None:
    """Forget a cell that is empty.

    Raises:
        CellError: If it is home, is not there, still takes new sessions, or if sessions live there.
    """
    with transaction.atomic():
        if name == HOME:
            raise CellError(f"{HOME!r} is the cell of REDIS_URL, which everything else needs as well")
        address_of(name)
        if name in takers():
            raise CellError(f"{name!r} takes new sessions: drain it first")
        if count := _unfinished(name):
            raise CellError(f"{count} sessions in {name!r} have not ended: wait for them, or end them")
        Cell.objects.filter(name=name).delete()


def _unfinished(name: str) -> int:
    return Session.objects.filter(cell=name).exclude(state=Session.State.ENDED).count()
