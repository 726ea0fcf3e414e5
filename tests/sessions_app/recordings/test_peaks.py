from __future__ import annotations

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.recordings import files, peaks
from sessions_app.recordings.peaks import WINDOW
from tests.sessions_app.meetings import make_recording, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


def tone(*levels: float, length: int = WINDOW) -> np.ndarray:
    """A window of each loudness."""
    return np.concatenate([np.full(length, level, np.float32) for level in levels])


def test_one_byte_for_each_tenth_of_a_second() -> None:
    session = make_session()
    make_recording(session, np.concatenate([tone(0.0, 0.5, -1.0), tone(0.25, length=10)]), as_flac=True)
    assert list(peaks.read(session.pk, has_ended=True)) == [0, 128, 255, 64]


def test_they_grow_with_the_recording_and_what_is_known_is_left_out() -> None:
    session = make_session(is_live=True)
    journal = files.Journal(session.pk)
    journal.write(0, tone(0.5, 0.5))
    journal.write(2 * WINDOW, tone(0.25, length=100))
    journal.sync()
    assert list(peaks.read(session.pk, has_ended=False)) == [128, 128]
    journal.write(2 * WINDOW, tone(0.25, 1.0))
    journal.sync()
    assert list(peaks.read(session.pk, 2, has_ended=False)) == [64, 255]
    journal.close()
    files.encode_flac(session.pk)
    assert list(peaks.read(session.pk, has_ended=True)) == [128, 128, 64, 255]


def test_are_the_same_however_long_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = np.random.default_rng(1).uniform(-1, 1, 50 * WINDOW + 7).astype(np.float32)
    sessions = [make_session(key) for key in ("a", "b")]
    for session, windows in zip(sessions, (600, 7), strict=True):
        monkeypatch.setattr(peaks, "_BLOCK", windows * WINDOW)
        make_recording(session, audio, as_flac=True)
        peaks.read(session.pk, has_ended=True)
    first, second = [peaks.read(session.pk, has_ended=True) for session in sessions]
    assert first == second
    assert len(first) == 51


def test_without_a_recording_there_are_none() -> None:
    session = make_session()
    assert peaks.read(session.pk, has_ended=True) == b""
    assert Client().get(reverse("peaks", args=[session.key])).content == b""


def test_by_http_from_where_the_page_is() -> None:
    session = make_session()
    make_recording(session, tone(0.5, 0.25, 1.0), as_flac=True)
    response = Client().get(reverse("peaks", args=[session.key]), {"first": "1"})
    assert (response["Content-Type"], list(response.content)) == ("application/octet-stream", [64, 255])
    assert list(Client().get(reverse("peaks", args=[session.key]), {"first": "x"}).content) == [128, 64, 255]


def test_are_deleted_with_the_rest() -> None:
    session = make_session()
    make_recording(session, tone(0.5), as_flac=True)
    peaks.read(session.pk, has_ended=True)
    peaks.delete(session.pk)
    assert not peaks.path(session.pk).exists()
    peaks.delete(session.pk)
