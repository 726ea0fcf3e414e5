"""Files at a real server: killed in the middle, it goes on where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognition.audio import SAMPLE_RATE
from tests.support.clients import MEETING, TEXTS
from tests.support.server import Server
from tests.support.uploads import is_over, until, upload, wav

pytestmark = pytest.mark.slow(40)

MINUTES = 25
LINES = """
    SELECT text FROM sessions_app_utterance AS line JOIN sessions_app_session AS session
    ON session.id = line.session_id WHERE session.key = ? ORDER BY seq
"""


def test_a_killed_server_goes_on_with_a_file_where_it_was(tmp_path: Path) -> None:
    times = MINUTES * 60 * SAMPLE_RATE // len(MEETING.audio())
    audio = np.tile(MEETING.audio(), times)
    with Server(tmp_path / "data") as server:
        address = upload(server.http, wav(audio))
        told = until(server.http, address, lambda told: told["done_ms"] > 30_000)
        server.stop(9)
        [(before, seq)] = server.query(
            "SELECT durable, last_seq FROM sessions_app_session WHERE key = ?", told["session"]
        )
        assert 0 < before < len(audio)
        server.start()
        told = until(server.http, address, is_over)
        assert (told["state"], told["error"]) == ("done", "")
        assert [text for (text,) in server.query(LINES, told["session"])] == TEXTS * times
        assert server.session(told["session"], "state, durable, epoch") == ("ended", len(audio), 2)
        resumed = [line for line in server.log.splitlines() if "recognising from" in line]
        assert f"recognising from {before} " in resumed[-1]
        assert seq > 0
        assert not list((tmp_path / "data/media/uploads").iterdir())
