"""A session's hotwords reach its recogniser, on whichever worker it is, and follow who is enrolled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from recognition.hotwords import Hotword
from recognition.interfaces import Models, OfflineRecognizer, Samples, SessionContext, Token
from sessions_app.models import CommonHotword, Session
from sessions_app.store import commits
from speakers.models import Speaker
from tests.support.senders import Socket

from .at_work import worker_at_work

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Script([ScriptedLine("大家好。", seconds=2.0), ScriptedLine("好的。", seconds=2.0)])


class Noting:
    """A second pass that notes the hotwords that it is given."""

    def __init__(self, offline: OfflineRecognizer) -> None:
        self._offline = offline
        self.min_samples = offline.min_samples
        self.told: list[frozenset[str]] = []

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        self.told += [each.hotwords.texts if each.hotwords else frozenset() for each in contexts]
        return self._offline.recognize(batch, contexts)


def noting() -> tuple[Models, Noting]:
    models = scripted_models(SCRIPT)
    noted = Noting(models.offline)
    return replace(models, offline=noted), noted


async def begin(key: str, *words: str) -> Session:
    session, _ = await asyncio.to_thread(
        lambda: commits.get_or_create_session(key, hotwords=[*map(Hotword, words)])
    )
    return session


async def until_ended(*sessions: Session) -> None:
    async with asyncio.timeout(30):
        for session in sessions:
            while not session.has_ended:
                await asyncio.sleep(0.05)
                await asyncio.to_thread(session.refresh_from_db)


async def test_each_session_is_recognised_with_its_own_and_those_of_all(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    await asyncio.to_thread(lambda: Speaker.objects.create(name="王磊"))
    await asyncio.to_thread(lambda: CommonHotword.objects.create(text="实时字幕"))
    models, noted = noting()
    sessions = [await begin("a", "供应商"), await begin("b")]
    async with worker_at_work(models) as transport:
        for session in sessions:
            await transport.open(session.pk, "sender", durable=0, may_take_over=False, listener=Socket())
            await transport.append(session.pk, "sender", SCRIPT.audio().tobytes())
            await transport.finish(session.pk, "sender")
        await until_ended(*sessions)

    assert set(noted.told) == {
        frozenset({"供应商", "实时字幕", "王磊"}),
        frozenset({"实时字幕", "王磊"}),
    }


async def test_a_worker_that_takes_over_listens_for_the_same_words(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    session = await begin("a", "供应商")
    audio = SCRIPT.audio()
    half = len(audio) // 2
    heard: list[Noting] = []
    for part in (audio[:half], audio):
        models, noted = noting()
        heard.append(noted)
        async with worker_at_work(models) as transport:
            await asyncio.to_thread(session.refresh_from_db)
            position = await transport.open(
                session.pk, "sender", durable=session.kept, may_take_over=True, listener=Socket()
            )
            await transport.append(session.pk, "sender", part[position:].tobytes())
            if part is audio:
                await transport.finish(session.pk, "sender")
                await until_ended(session)
            else:
                async with asyncio.timeout(30):
                    while not noted.told:
                        await asyncio.sleep(0.05)

    assert [set(noted.told) for noted in heard] == [{frozenset({"供应商"})}] * 2
