"""Continuation of a session by a new one, which is called, owned, filed, tagged and shared like it."""

from __future__ import annotations

from typing import Any

from sessions_app import teams
from sessions_app.models import Session, Translation, WritingRule


def columns_like(earlier: Session) -> dict[str, Any]:
    """Return columns of a session that goes on with an earlier one."""
    return {
        "continues": earlier,
        "owner_id": earlier.owner_id,
        "title": earlier.title,
        "model_set": earlier.model_set,
        "folder_id": earlier.folder_id,
        "is_kept": earlier.is_kept,
        "itn": earlier.itn,
        "script": earlier.script,
        "language": earlier.language,
        "hotwords": earlier.hotwords,
    }


def tag_and_share_like(earlier: Session, session: Session) -> None:
    """Give a new session what rows beside it say of an earlier one, and share it like that."""
    session.tags.set(earlier.tags.all())
    session.expected_speakers.set(earlier.expected_speakers.all())
    rules = earlier.writing_rules.values("wrong", "right", "made_by_id")
    WritingRule.objects.bulk_create(WritingRule(session=session, **rule) for rule in rules)
    for translation in Translation.objects.filter(session=earlier, is_on=True):
        Translation.objects.create(
            session=session, language=translation.language, asked_by_id=translation.asked_by_id
        )
    teams.share_like(earlier, session)
