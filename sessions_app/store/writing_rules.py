"""Rules for writing: read by workers, kept for everybody or for one session."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import F, Q
from django.utils.translation import gettext as _

from recognition.writing.rules import MAX_LENGTH, MAX_RULES, Rule
from sessions_app.exceptions import SessionsError
from sessions_app.models import Session, WritingRule
from sessions_app.wire.untrusted import one_line


class BadRule(SessionsError):
    """A rule that makes no sense; the message is for the person."""


def of_session(session_pk: int) -> tuple[Rule, ...]:
    """Read the rules that hold in a session now, its own first."""
    holding = WritingRule.objects.filter(Q(session=None) | Q(session=session_pk))
    rows = holding.order_by(F("session").asc(nulls_last=True), "-pk")[:MAX_RULES]
    return tuple(Rule(*row) for row in rows.values_list("pk", "wrong", "right"))


def add(wrong: str, right: str, *, session: Session | None = None, by: User | None = None) -> WritingRule:
    """Keep a rule, in the place of an earlier one for the same.

    Raises:
        BadRule: If it makes no sense.
    """
    wrong, right = checked(wrong, right)
    rule, _made = WritingRule.objects.update_or_create(
        session=session, wrong=wrong, defaults={"right": right, "made_by": by}
    )
    return rule


def checked(wrong: str, right: str) -> tuple[str, str]:
    """Return both texts as they are kept. Raises as `add`."""
    wrong, right = one_line(wrong), one_line(right)
    if not wrong or not right:
        raise BadRule(_("Say both what is heard and what is written."))
    if wrong == right:
        raise BadRule(_("Both are the same."))
    if not any(character.isalnum() for character in wrong):
        raise BadRule(_("Marks alone are no word: %(text)s") % {"text": wrong})
    if max(len(wrong), len(right)) > MAX_LENGTH:
        raise BadRule(_("At most %(count)d characters.") % {"count": MAX_LENGTH})
    return wrong, right


def add_to(session: Session, pairs: Iterable[tuple[str, str]]) -> None:
    """Keep what a client says of its new session; what makes no sense is left out."""
    rules: dict[str, str] = {}
    for pair in pairs:
        try:
            wrong, right = checked(*pair)
        except BadRule:
            continue
        rules[wrong] = right
    made = [WritingRule(session=session, wrong=wrong, right=right) for wrong, right in rules.items()]
    WritingRule.objects.bulk_create(made[:MAX_RULES])
