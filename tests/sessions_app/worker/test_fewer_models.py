"""A session on a model set that has only what every set needs: no first pass, no punctuator, no voices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.translation import gettext, override

from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from sessions_app.models import Session
from sessions_app.store import commits
from sessions_app.transport.memory import MemoryTransport
from speakers import enrollment, jobs
from speakers.models import Job, Voiceprint
from tests.support.senders import Socket

from .at_work import worker_at_work

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Script([ScriptedLine("大家好", voice=0, seconds=4.0), ScriptedLine("好的", voice=1, seconds=0.8)])


@pytest.fixture
async def transport(settings: Any, tmp_path: Path) -> AsyncIterator[MemoryTransport]:
    """Of a process with a worker."""
    settings.MEDIA_ROOT = tmp_path
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    models = replace(scripted_models(SCRIPT), streaming=None, punctuator=None, embedder=None)
    async with worker_at_work(models) as transport:
        yield transport


async def finished(job: Job) -> Job:
    async with asyncio.timeout(20):
        while job.state in (Job.State.QUEUED, Job.State.RUNNING):
            await asyncio.sleep(0.05)
            await job.arefresh_from_db()
    return job


async def test_its_lines_are_kept_and_are_all_the_same_strangers(transport: MemoryTransport) -> None:
    session, _ = await asyncio.to_thread(commits.get_or_create_session, "few")
    await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
    await transport.append(session.pk, "sender", SCRIPT.audio().tobytes())
    await transport.finish(session.pk, "sender")
    async with asyncio.timeout(20):
        while not session.has_ended:
            await asyncio.sleep(0.05)
            await session.arefresh_from_db()

    lines = [line async for line in session.utterances.select_related("voice")]
    assert session.state == Session.State.ENDED
    assert not session.has_failed
    assert [line.text for line in lines] == ["大家好", "好的"]
    assert len({line.voice_id for line in lines}) == 1
    assert {line.score for line in lines} == {None}


async def test_nobody_is_enrolled_and_the_job_says_why(transport: MemoryTransport) -> None:
    staff = await User.objects.acreate(username="staff")
    draft = await jobs.in_database(
        enrollment.begin, SCRIPT.speak(0), source=Voiceprint.Source.UPLOAD, by=staff
    )
    job = await finished(await Job.objects.aget(subject=str(draft.pk)))
    assert job.state == Job.State.FAILED
    assert job.error == "The models of this service cannot tell voices apart: their set has no [speaker]."


def test_the_reason_is_there_in_chinese() -> None:
    with override("zh-hans"):
        text = gettext("The models of this service cannot tell voices apart: their set has no [speaker].")
    assert text == "本服务的模型组合没有 [speaker]：无法区分不同发言人的声音。"
