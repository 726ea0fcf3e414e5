"""From a stranger's name to the next meeting, which knows her: with her consent, and the worker's verdict."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from sessions_app.models import Session
from sessions_app.store import commits, queries
from sessions_app.transcripts import editing
from sessions_app.transcripts.edit_requests import NameVoice, Who
from sessions_app.transport.memory import MemoryTransport
from speakers.models import Enrollment, Speaker, Voiceprint
from tests.sessions_app.meetings import make_user
from tests.speakers.people import make_speaker
from tests.support.senders import Socket

from .at_work import worker_at_work

pytestmark = pytest.mark.django_db(transaction=True)

HER, HIM = 2, 5
SCRIPT = Script(
    [
        ScriptedLine("大家好，我们开始开会。", voice=HER, seconds=6.0),
        ScriptedLine("预算通过了吗？", voice=HIM, seconds=2.0),
        ScriptedLine("通过了。", voice=HER, seconds=6.0),
    ]
)


@pytest.fixture
async def transport(settings: Any, tmp_path: Any) -> AsyncIterator[MemoryTransport]:
    settings.MEDIA_ROOT = tmp_path
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    async with worker_at_work(scripted_models(SCRIPT)) as transport:
        yield transport


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(is_so):
            await asyncio.sleep(0.05)


async def hold_meeting(transport: MemoryTransport, key: str, *, expected: Speaker | None = None) -> Session:
    ids = [str(expected.uuid)] if expected else []
    session, _ = await asyncio.to_thread(commits.get_or_create_session, key, expected=ids)
    await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
    await transport.append(session.pk, "sender", SCRIPT.audio().tobytes())
    await transport.finish(session.pk, "sender")
    await until(lambda: Session.objects.get(pk=session.pk).has_ended)
    return session


def names_in(session: Session) -> list[str]:
    return [line.spoken.speaker_name for line in queries.lines_after(session.pk, 0, limit=9)]


def name_first_voice(session: Session, name: str, by: User) -> Speaker:
    voice = queries.lines_after(session.pk, 0, limit=1)[0].spoken.speaker_id
    editing.apply(session, NameVoice(voice=voice, who=Who(name=name)), by=by)
    return Speaker.objects.get(name=name)


def ask_to_remember(session: Session, person: Speaker, by: User, *, has_agreed: bool) -> int:
    client = Client(HTTP_ACCEPT="application/json")
    client.force_login(by)
    address = reverse("remember-voice", args=[session.key, person.uuid])
    body = json.dumps({"has_agreed": has_agreed})
    return client.post(address, body, content_type="application/json").status_code


@pytest.fixture
def anna() -> User:
    return make_user("anna", "editor", "enroller")


async def test_the_next_meeting_knows_who_was_named_and_remembered(
    transport: MemoryTransport, anna: User
) -> None:
    first = await hold_meeting(transport, "first")
    assert await asyncio.to_thread(names_in, first) == ["Speaker 1", "Speaker 2", "Speaker 1"]
    zhao = await asyncio.to_thread(name_first_voice, first, "赵敏", anna)

    assert await asyncio.to_thread(ask_to_remember, first, zhao, anna, has_agreed=True) == 201
    await until(lambda: Voiceprint.objects.filter(speaker=zhao).exists())

    second = await hold_meeting(transport, "second")
    assert await asyncio.to_thread(names_in, second) == ["赵敏", "Speaker 1", "赵敏"]


async def test_a_name_alone_is_not_remembered(transport: MemoryTransport, anna: User) -> None:
    first = await hold_meeting(transport, "first")
    zhao = await asyncio.to_thread(name_first_voice, first, "赵敏", anna)

    assert await asyncio.to_thread(ask_to_remember, first, zhao, anna, has_agreed=False) == 422

    second = await hold_meeting(transport, "second")
    assert await asyncio.to_thread(names_in, second) == ["Speaker 1", "Speaker 2", "Speaker 1"]


async def test_a_voice_that_is_like_somebody_else_s_waits_for_a_decision(
    transport: MemoryTransport, anna: User
) -> None:
    first = await hold_meeting(transport, "first")
    zhao = await asyncio.to_thread(name_first_voice, first, "赵敏", anna)
    assert await asyncio.to_thread(ask_to_remember, first, zhao, anna, has_agreed=True) == 201
    await until(lambda: Voiceprint.objects.filter(speaker=zhao).exists())
    second = await hold_meeting(transport, "second")
    other = await asyncio.to_thread(make_speaker, "林静")
    await asyncio.to_thread(give_all_lines, second, other)

    assert await asyncio.to_thread(ask_to_remember, second, other, anna, has_agreed=True) == 201
    await until(lambda: Enrollment.objects.filter(speaker=other).exclude(verdict=None).exists())

    assert not await asyncio.to_thread(Voiceprint.objects.filter(speaker=other).exists)


def give_all_lines(session: Session, speaker: Speaker) -> None:
    voice = session.voices.get(speaker__name="赵敏")
    voice.speaker = speaker
    voice.save()
