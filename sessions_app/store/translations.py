"""Translations of lines: what is asked for, and what there is for those who read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from django.db import transaction
from django.db.models import F, QuerySet

from sessions_app.models import Session, TranslatedLine, Translation
from sessions_app.wire.protocol import Translations

AT_ONCE = 200
"""Lines that one message tells."""

OF_ONE_NUMBER = 100


def ask_for(session: Session, language: str, *, by: int | None) -> None:
    """Have the lines of a session translated, those to come and those that are there; nothing is sent yet.

    Args:
        by: Key of the login that wants it.
    """
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=session.pk)  # its row first, as edits do it
        wanted = {"language": language, "is_on": True, "asked_by_id": by, "done_seq": -1, "done_revision": -1}
        Translation.objects.update_or_create(session=session, defaults=wanted)
        # Readers are told of another language by a number, with what is there of it from before.
        kept = TranslatedLine.objects.filter(utterance__session=session, language=language).order_by("number")
        keys = list(kept.values_list("pk", flat=True))
        for at in range(0, max(1, len(keys)), OF_ONE_NUMBER):
            own = TranslatedLine.objects.filter(pk__in=keys[at : at + OF_ONE_NUMBER])
            own.update(number=next_number(session.pk))


def next_number(session_pk: int) -> int:
    """Count a change to the translations of a session, within the transaction that makes it."""
    own = Session.objects.filter(pk=session_pk)
    own.update(last_translation=F("last_translation") + 1)
    return own.values_list("last_translation", flat=True).get()


def language_of(session_pk: int) -> str:
    """Return the language that a session is or was translated into; empty for none."""
    return Translation.objects.filter(session=session_pk).values_list("language", flat=True).first() or ""


def by_line(session: Session) -> dict[int, str]:
    """Read the translations of all lines as they read now, by their keys."""
    return dict(_shown(session.pk).values_list("utterance", "text"))


@lru_cache(maxsize=64)
def after(session_pk: int, number: int, last: int, _revision: int) -> Translations:
    """Read the translations behind a number, up to another one at most.

    A thousand readers ask for the same: it is read once.

    Args:
        _revision: Of the lines; when one of them reads otherwise, its translation does not count any more.
    """
    rows = _shown(session_pk).filter(number__gt=number, number__lte=last).order_by("number", "pk")
    told = list(rows.values_list("number", "utterance", "text")[:AT_ONCE])
    if len(told) == AT_ONCE:
        # There may be more of the last number.
        told = [row for row in told if row[0] != told[-1][0]]
        last = told[-1][0]
    texts: Mapping[int, str] = {key: text for _number, key, text in told}
    return Translations(last, language_of(session_pk), tuple(texts.items()))


def _shown(session_pk: int) -> QuerySet[TranslatedLine]:
    return TranslatedLine.objects.filter(
        utterance__session=session_pk,
        utterance__is_removed=False,
        language=F("utterance__session__translation__language"),
        source=F("utterance__text"),
    ).exclude(text="")
