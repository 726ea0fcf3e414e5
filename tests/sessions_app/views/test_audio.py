"""The recording by HTTP, as players ask for it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from cryptography.fernet import Fernet
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sessions_app.models import Session
from sessions_app.recordings import files
from sessions_app.views import audio as audio_views
from sessions_app.views.audio import HEADER_BYTES
from tests.sessions_app.meetings import make_recording, make_session, whole

pytestmark = pytest.mark.django_db

AUDIO = (np.random.default_rng(7).integers(-9000, 9000, 40_000) / 32768).astype(np.float32)
SAMPLES = np.rint(AUDIO * 32768).astype("<i2")


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def is_encrypted(request: pytest.FixtureRequest, tmp_path: Path, settings: Settings) -> bool:
    settings.ENCRYPT_RECORDINGS = request.param
    settings.VOICEPRINT_KEYS, settings.VOICEPRINT_KEY_FILE = [], tmp_path / "voiceprint_keys"
    return bool(request.param)


@pytest.fixture(params=[False, True], ids=["live", "ended"])
def session(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Settings, is_encrypted: bool
) -> Session:
    settings.MEDIA_ROOT = tmp_path
    session = make_session(is_live=not request.param)
    make_recording(session, AUDIO, as_flac=request.param)
    return session


def get(session: Session, query: str = "", headers: Mapping[str, str] | None = None) -> Any:
    return Client().get(reverse("audio", args=[session.key]) + query, headers=headers)


def test_the_whole_is_a_wav_file_with_every_sample(session: Session) -> None:
    response = get(session)
    assert (response.status_code, response["Content-Type"]) == (200, "audio/wav")
    content = whole(response)
    assert int(response["Content-Length"]) == len(content)
    samples, rate = soundfile.read(io.BytesIO(content), dtype="int16")
    assert rate == 16_000
    np.testing.assert_array_equal(samples, SAMPLES)


@pytest.mark.parametrize(
    ("start", "end"), [(0, 44), (0, 45), (10, 50), (44, 46), (45, 47), (101, 40_000), (80_000, 80_044)]
)
def test_any_part_of_it_can_be_had(session: Session, start: int, end: int) -> None:
    everything = whole(get(session))
    response = get(session, headers={"Range": f"bytes={start}-{end - 1}"})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/{len(everything)}"
    assert response.content == everything[start:end]


def test_an_open_range_is_answered_with_a_part_and_not_with_hours(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio_views, "MAX_PART", 1000)
    response = get(session, headers={"Range": "bytes=0-"})
    assert response["Content-Range"] == f"bytes 0-999/{HEADER_BYTES + 2 * len(SAMPLES)}"
    assert len(response.content) == 1000


def test_until_gives_what_will_not_change_when_more_comes(session: Session) -> None:
    response = get(session, "?until=1000")
    samples, _ = soundfile.read(io.BytesIO(whole(response)), dtype="int16")
    np.testing.assert_array_equal(samples, SAMPLES[:1000])


@pytest.mark.parametrize("until", ["-1", "x", "99999999999999999999", "50000"])
def test_until_beyond_reason_gives_all_there_is(session: Session, until: str) -> None:
    assert int(get(session, f"?until={until}")["Content-Length"]) == HEADER_BYTES + 2 * len(SAMPLES)


def test_behind_the_end_there_is_nothing(session: Session) -> None:
    response = get(session, headers={"Range": "bytes=90000-"})
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */80044")


def test_no_recording_is_said_so(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = tmp_path
    response = get(make_session())
    assert response.status_code == 404
    assert "no recording" in response.content.decode()


@pytest.mark.parametrize("as_flac", [False, True], ids=["live", "ended"])
def test_without_the_installations_key_it_says_so_and_not_what_went_wrong(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture, as_flac: bool
) -> None:
    settings.MEDIA_ROOT, settings.VOICEPRINT_KEYS = tmp_path, [Fernet.generate_key().decode()]
    settings.ENCRYPT_RECORDINGS = True
    session = make_session(is_live=not as_flac)
    make_recording(session, AUDIO, as_flac=as_flac)
    settings.VOICEPRINT_KEYS = [Fernet.generate_key().decode()]
    response = get(session, headers={"Range": "bytes=0-99"})
    assert response.status_code == 503
    assert "This cannot be read" in response.content.decode()
    assert "VOICEPRINT_KEYS" in caplog.text


def test_one_that_was_cut_off_on_the_disk_is_not_served(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT, settings.VOICEPRINT_KEYS = tmp_path, [Fernet.generate_key().decode()]
    settings.ENCRYPT_RECORDINGS = True
    session = make_session()
    make_recording(session, AUDIO, as_flac=True)
    path = files.sealed(files.flac_path(session.pk))
    path.write_bytes(path.read_bytes()[:-100])
    assert get(session).status_code == 503
