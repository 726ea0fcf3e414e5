"""The sample meeting: who is enrolled for it, when it is shown, and what a terminal is told of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import soundfile
from django.contrib.auth.models import User
from django.utils import timezone, translation
from pytest_django import Settings
from websockets.asyncio.server import ServerConnection, serve

from recognition.audio import SAMPLE_RATE
from sessions_app.models import AccessToken
from sessions_app.sample import demo
from speakers.jobs import in_database
from speakers.models import Consent, ConsentText, Enrollment, Job, Speaker, Voiceprint

from ...speakers.people import make_speaker
from ..meetings import make_session

REFERENCE = json.loads((demo.SAMPLE / "reference.json").read_text())


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    return tmp_path / "media"


class TestFiles:
    @pytest.mark.parametrize("name", ["meeting.flac", *REFERENCE["enrolled"].values()])
    def test_all_of_them_are_audio_as_it_is_sent(self, name: str) -> None:
        info = soundfile.info(demo.SAMPLE / name)

        assert (info.samplerate, info.channels) == (SAMPLE_RATE, 1)
        assert info.frames > SAMPLE_RATE

    def test_whoever_is_enrolled_speaks_and_somebody_who_is_not_does_as_well(self) -> None:
        speakers = {line["speaker"] for line in REFERENCE["lines"]}

        assert set(REFERENCE["enrolled"]) < speakers

    def test_the_lines_lie_in_the_meeting_one_after_another(self) -> None:
        length_s = soundfile.info(demo.SAMPLE / "meeting.flac").duration
        times = [time for line in REFERENCE["lines"] for time in (line["start"], line["end"])]

        assert times == sorted(times)
        assert 0 <= times[0] < times[-1] <= length_s


@pytest.mark.django_db
class TestEnrolling:
    def enroll(self, name: str, admin: User) -> None:
        demo._begin_enrollment(name, demo.SAMPLE / REFERENCE["enrolled"][name], admin)

    def test_each_has_a_consent_and_a_recording_that_stores_itself(self, media: Path) -> None:
        admin = User.objects.create_superuser("admin")

        for name in REFERENCE["enrolled"]:
            self.enroll(name, admin)

        assert {speaker.name for speaker in Speaker.objects.all()} == set(REFERENCE["enrolled"])
        for draft in Enrollment.objects.all():
            assert draft.speaker is not None
            assert draft.consent == draft.speaker.consents.get()
            assert draft.consent.recorded_by == draft.created_by == admin
        assert Job.objects.filter(kind="assess").count() == 2

    def test_real_people_are_never_offered_the_text_that_the_synthetic_ones_agreed_to(
        self, media: Path
    ) -> None:
        admin = User.objects.create_superuser("admin")

        for name in REFERENCE["enrolled"]:
            self.enroll(name, admin)

        text = ConsentText.objects.get(language="")
        assert "synthetic" in text.text
        assert set(Consent.objects.values_list("text", flat=True)) == {text.pk}


class TestTelling:
    def told(self, *messages: dict[str, Any]) -> list[str]:
        async def receiver() -> AsyncIterator[str]:
            for message in messages:
                yield json.dumps(message)

        said: list[str] = []
        asyncio.run(demo._tell(receiver(), said.append))  # type: ignore[arg-type]
        return said

    def line(self, text: str, start_ms: int, name: str = "林静") -> dict[str, Any]:
        return {"asr": text, "start_ms": start_ms, "spk": {"speaker_name": name}}

    def test_each_line_has_its_time_and_who_said_it(self) -> None:
        assert self.told(self.line("大家好。", 0), self.line("好的。", 61_999, "Speaker 1")) == [
            "  0:00  林静：大家好。",
            "  1:01  Speaker 1：好的。",
        ]

    def test_a_line_without_words_is_not_told(self) -> None:
        assert self.told(self.line("", 0)) == []

    def test_an_hour_is_sixty_minutes(self) -> None:
        assert self.told(self.line("完。", 3_600_000))[0].startswith("  60:00  ")


@pytest.mark.django_db(transaction=True)
class TestShowing:
    async def test_where_there_is_a_session_nothing_is_shown(self) -> None:
        await in_database(make_session)
        said: list[str] = []

        await demo.show_sample_meeting(1, said.append)

        assert said == []
        assert not await Speaker.objects.aexists()

    async def test_without_an_administrator_nobody_is_enrolled_and_it_is_said(self) -> None:
        said: list[str] = []

        with translation.override("en"):
            await demo._enroll_people(said.append)

        assert len(said) == 1
        assert "manage.py prepare" in said[0]
        assert not await Speaker.objects.aexists()

    async def test_voices_that_no_worker_stores_are_waited_for_and_then_told_of(
        self, media: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(demo, "ENROLLING_S", 0)
        await User.objects.acreate(username="admin", is_superuser=True)
        said: list[str] = []

        with translation.override("en"):
            await demo._enroll_people(said.append)

        assert said == ["The people of the sample meeting could not be enrolled; the log may say why."]
        assert await Enrollment.objects.acount() == 2
        assert not await Voiceprint.objects.aexists()

    async def test_a_server_that_is_not_there_is_an_error_of_the_network(self) -> None:
        with translation.override("en"), pytest.raises(OSError, match=r"."):
            await demo.show_sample_meeting(1, lambda text: None)


class Service:
    """One that takes a meeting and confirms it, and has a receiver to tell."""

    def __init__(self) -> None:
        self.samples = 0
        self.paths: list[str] = []
        self.receiver: ServerConnection | None = None

    async def __call__(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        if "mode=receiver" in socket.request.path:
            self.receiver = socket
            await socket.wait_closed()
            return
        async for message in socket:
            if message == "close":
                break
            self.samples += len(message) // 4
        await socket.send(json.dumps({"event": {"type": "partial"}}))
        await socket.send(json.dumps({"event": {"type": "session_end"}}))
        if self.receiver:
            await self.receiver.send(
                json.dumps({"asr": "完。", "start_ms": 0, "spk": {"speaker_name": "林静"}})
            )
            await self.receiver.close()


async def test_all_of_it_is_sent_and_told_to_its_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "meeting.flac", [0.0] * 5000, SAMPLE_RATE)
    monkeypatch.setattr(demo, "SAMPLE", tmp_path)

    async def nothing(*work: object) -> None:
        return None

    monkeypatch.setattr(demo, "in_database", nothing)
    monkeypatch.setattr(demo, "_enroll_people", nothing)
    service = Service()
    said: list[str] = []

    async with serve(service, "127.0.0.1", 0) as server, asyncio.timeout(10):
        with translation.override("en"):
            await demo.show_sample_meeting(server.sockets[0].getsockname()[1], said.append)

    assert service.samples == 5000
    assert "mode=receiver" in service.paths[0]
    assert "title=Sample+meeting" in service.paths[1]
    assert "models=embedded" in service.paths[1]
    assert said[1] == "  0:00  林静：完。"
    assert said[0].startswith("A sample meeting is being streamed")
    assert said[2].startswith("The sample meeting has ended.")


@pytest.mark.django_db(transaction=True)
async def test_where_everybody_needs_a_token_the_meeting_has_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    soundfile.write(tmp_path / "meeting.flac", [0.0] * 100, SAMPLE_RATE)
    monkeypatch.setattr(demo, "SAMPLE", tmp_path)
    settings.ACCESS = "token"
    service = Service()
    said: list[str] = []

    async with serve(service, "127.0.0.1", 0) as server, asyncio.timeout(10):
        with translation.override("en"):
            await demo.show_sample_meeting(server.sockets[0].getsockname()[1], said.append)

    for path, role in zip(service.paths, ["receiver", "sender"], strict=True):
        [secret] = parse_qs(urlsplit(path).query)["token"]
        token = await in_database(AccessToken.find, secret)
        assert token is not None
        assert token.admits(role, demo.SESSION)
        assert not token.admits(role, "another")
        assert not token.admits(role, demo.SESSION, now=timezone.now() + demo.TOKEN_LIFETIME)
    assert "log in as admin to see it" in "".join(said)


def test_without_the_set_of_its_voices_the_default_recognises_it(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "Ours"\nchecksum = true')
    settings.MODEL_SETS = [str(tmp_path / "own.toml")]
    assert demo.synthetic_voices_set() == ""
    settings.MODEL_SETS = [str(tmp_path / "own.toml"), "embedded"]
    assert demo.synthetic_voices_set() == "embedded"


@pytest.mark.django_db
def test_its_people_are_known_when_the_models_of_all_sets_have_heard_them() -> None:
    make_speaker("林静", np.ones(4, np.float32))
    assert demo._are_known(1)
    assert not demo._are_known(2)
    job = Job.objects.create(kind="reembed", model_id="another")
    assert not demo._are_known(1)
    Job.objects.filter(pk=job.pk).update(state="done")
    assert demo._are_known(1)


async def test_a_meeting_of_another_rate_is_not_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "meeting.flac", [0.0] * 100, 8_000)
    monkeypatch.setattr(demo, "SAMPLE", tmp_path)

    with pytest.raises(ValueError, match="8000 Hz, not 16000"):
        await demo._send("ws://127.0.0.1:1")
