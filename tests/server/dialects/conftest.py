"""The sample meeting on a running server, scripted, with two of its three people enrolled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from tests.browser.sample_meeting import PEOPLE, as_written, meeting_script, reference, script_file
from tests.support.server import Server

SCRIPT = meeting_script()

BEGINNING = 5

Spoken = tuple[str, str]
"""A speaker's name and a text."""


def said() -> list[Spoken]:
    """The meeting as everybody is to read it; nobody knows the guest."""
    return [(name, as_written(text)) for name, text in in_words()]


def in_words() -> list[Spoken]:
    """The same for clients that want no numbers in digits."""
    names = {PEOPLE[2]: "Speaker 1"}
    return [(names.get(line["speaker"], line["speaker"]), line["text"]) for line in reference()]


def pcm(audio: np.ndarray) -> bytes:
    """Audio as 16-bit integers, as most clients send it."""
    return bytes(np.rint(audio * 32767).astype("<i2").tobytes())


@pytest.fixture(scope="session")
def meeting() -> bytes:
    return pcm(SCRIPT.audio(pause_s=1.2))


@pytest.fixture(scope="session")
def first_lines() -> bytes:
    """The first two lines of it: 16-bit, 16 kHz."""
    return pcm(np.concatenate([SCRIPT.speak(at, pause_s=1.2) for at in range(2)]))


@pytest.fixture(scope="session")
def beginning() -> bytes:
    """The first `BEGINNING` lines, by two people."""
    return pcm(np.concatenate([SCRIPT.speak(at, pause_s=1.2) for at in range(BEGINNING)]))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all dialects: daphne, with scripted models."""
    data_dir = tmp_path_factory.mktemp("dialects")
    script = data_dir / "meeting.toml"
    script.write_text(script_file(SCRIPT))
    server = Server(data_dir, ASR_MODELS=str(script), ASR_SENDER_RETURN_S="2")
    server.migrate()
    server.shell(
        "from django.contrib.auth.models import User; from tests.browser.sample_site import enroll_people; "
        "enroll_people(User.objects.create_superuser('admin'))"
    )
    with server:
        yield server


def titles(server: Server) -> Sequence[str]:
    return [title for (title,) in server.query("SELECT title FROM sessions_app_session ORDER BY id")]
