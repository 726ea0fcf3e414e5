"""What `make run` ends in, on an empty installation: a meeting with names, and no network."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recognition.model_sets.reading import read_model_set
from sessions_app.sample.demo import SAMPLE
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.slow(20)  # each of eight: the sample meeting takes two minutes

REFERENCE = json.loads((SAMPLE / "reference.json").read_text())
LINE = re.compile(r"^  \d+:\d\d  (?P<name>[^：]+)：(?P<text>.+)$", re.MULTILINE)
ENDED = "The sample meeting has ended"


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`manage.py prepare` and `serve --demo` with the embedded models, where only loopback can be reached."""
    if read_model_set("embedded").missing(Path("var/models")):
        pytest.skip("the weights of the embedded models are not in this checkout")
    data_dir = tmp_path_factory.mktemp("first-start")
    server = Server(
        data_dir,
        options=["--demo"],
        from_nothing=True,
        ASR_MODELS="embedded",
        PYTHONPATH=str(ROOT / "tests" / "support" / "no_network"),
        NETWORK_ATTEMPTS=str(data_dir / "attempts"),
    )
    server.manage("prepare")
    with server:
        deadline = time.monotonic() + 300
        while ENDED not in server.log and time.monotonic() < deadline:
            time.sleep(0.5)
        yield server


def lines(server: Server) -> list[tuple[str, str]]:
    return LINE.findall(server.log)


def test_the_sample_meeting_is_told_to_its_end(first_start: Server) -> None:
    assert ENDED in first_start.log
    assert len(lines(first_start)) >= len(REFERENCE["lines"]) * 0.8


def test_two_people_are_named_and_the_third_is_speaker_1(first_start: Server) -> None:
    assert {name for name, _ in lines(first_start)} == {*REFERENCE["enrolled"], "Speaker 1"}


def test_a_real_person_is_not_asked_to_agree_to_what_the_synthetic_voices_did(first_start: Server) -> None:
    text = first_start.shell(
        "from speakers.enrollment import current_consent_text as current; print(current().text)"
    )
    assert "keeps recordings of my voice" in text


def test_the_terminal_shows_what_the_database_keeps(first_start: Server) -> None:
    kept = first_start.query("SELECT text FROM sessions_app_utterance ORDER BY seq")
    assert [(text,) for _, text in lines(first_start)] == kept


def test_the_log_says_that_the_models_are_small_and_what_changes_that(first_start: Server) -> None:
    assert "for people, start with ASR_MODELS=people" in first_start.log


def test_nothing_beyond_loopback_is_asked_for(first_start: Server) -> None:
    attempts = first_start.data_dir / "attempts"
    assert not attempts.exists(), attempts.read_text()


def test_an_attempt_would_have_been_noticed(first_start: Server) -> None:
    with pytest.raises(RuntimeError, match="this test allows loopback only"):
        first_start.shell("import socket; socket.create_connection(('192.0.2.1', 80), 1)")
    attempts = first_start.data_dir / "attempts"
    assert "192.0.2.1" in attempts.read_text()
    attempts.unlink()


def test_interrupted_it_ends_cleanly_and_starts_again_without_the_demo(first_start: Server) -> None:
    assert first_start.stop(signal.SIGINT) == 0
    assert "Traceback" not in first_start.log
    told = len(lines(first_start))
    first_start.start()
    assert len(lines(first_start)) == told
    assert first_start.query("SELECT count(*) FROM sessions_app_session") == [(1,)]
