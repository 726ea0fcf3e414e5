"""Sessions with lines in the database, for tests of what is done with them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.contrib.auth.models import Group, User
from django.utils import timezone

from recognition.audio import SAMPLE_RATE
from recognition.core.events import Final
from recognition.interfaces import Token
from sessions_app.access.roles import set_up_groups
from sessions_app.models import Session, Utterance, Voice
from sessions_app.recordings import files
from sessions_app.store.commits import NewLine
from speakers.models import Speaker
from speakers.voiceprints.tracking import Decision

LINES = ["大家好，我们开始开会。", "好的。", "预算通过了吗？", "通过了。"]


def make_session(
    key: str = "周会", *, owner: User | None = None, title: str = "", is_live: bool = False
) -> Session:
    state = Session.State.LIVE if is_live else Session.State.ENDED
    ended_at = None if is_live else timezone.now()
    return Session.objects.create(
        key=key, title=title, owner=owner, state=state, ended_at=ended_at, model_set="test"
    )


def owner_of(session: Session) -> User:
    assert session.owner
    return session.owner


def make_voice(session: Session, name: str = "") -> Voice:
    """A voice with this name, a stranger without one."""
    if name:
        speaker, _ = Speaker.objects.get_or_create(name=name)
        return Voice.objects.create(session=session, speaker=speaker)
    number = session.voices.exclude(number=None).count() + 1
    return Voice.objects.create(session=session, number=number)


def make_lines(session: Session, texts: Iterable[str] = LINES, voice: Voice | None = None) -> list[Utterance]:
    """Lines of two seconds each, one after another, whose characters take equal time."""
    first = session.last_seq + 1
    lines = []
    for seq, text in enumerate(texts, first):
        start, end = (seq - 1) * 2 * SAMPLE_RATE, seq * 2 * SAMPLE_RATE
        lines.append(
            Utterance(
                session=session,
                seq=seq,
                start=start,
                end=end,
                text=text,
                machine_text=text,
                tokens=_tokens(text, start, end),
                voice=voice,
                score=0.9 if voice else None,
            )
        )
    Utterance.objects.bulk_create(lines)
    session.last_seq += len(lines)
    session.durable = session.last_seq * 2 * SAMPLE_RATE
    session.save()
    return lines


def new_line(
    start: int, end: int, text: str = "好。", *, voice: uuid.UUID | None = None, score: float | None = None
) -> NewLine:
    """A final as recognition makes it, by a stranger of its own unless a voice is named."""
    tokens = tuple(Token(*token) for token in _tokens(text, start, end))
    final = Final(0, start=start, end=end, text=text, tokens=tokens)
    return NewLine(final, Decision(voice or uuid.uuid4(), speaker=None, score=score))


def make_recording(session: Session, audio: np.ndarray, *, as_flac: bool) -> None:
    """Audio, float32, on disk: as while the session is live, or as afterwards."""
    journal = files.Journal(session.pk)
    journal.write(0, audio)
    journal.close()
    if as_flac:
        files.encode_flac(session.pk)


def make_user(name: str, *groups: str, is_staff: bool = False) -> User:
    set_up_groups()
    user = User.objects.create_user(name, is_staff=is_staff)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def whole(response: Any) -> bytes:
    """The content of a response that is sent block by block."""

    async def read() -> bytes:
        return b"".join([block async for block in response])

    return asyncio.run(read())


def _tokens(text: str, start: int, end: int) -> list[list[Any]]:
    characters = [character for character in text if character.isalnum()]
    edges = np.linspace(start, end, len(characters) + 1).astype(int).tolist()
    return [[c, a, b] for c, a, b in zip(characters, edges, edges[1:], strict=False)]
