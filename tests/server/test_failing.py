"""A session that recognition cannot cope with ends, and only that one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from sessions_app.models import MAX_FAILURES
from tests.support.clients import MEETING, TEXTS, listen, new_id, open_socket, send_audio, send_meeting
from tests.support.server import Server

pytestmark = pytest.mark.slow

POISON = """
CREATE TRIGGER poison BEFORE INSERT ON sessions_app_utterance WHEN NEW.text = '预算通过了吗？'
BEGIN SELECT RAISE(ABORT, 'this line cannot be kept'); END
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its database refuses one of the lines of the meeting."""
    with Server(tmp_path_factory.mktemp("failing")) as running:
        running.change(POISON)
        yield running


async def test_everyone_is_told_the_rest_is_kept_and_others_go_on(server: Server) -> None:
    poisoned, healthy = new_id(), new_id()
    audio = (np.rint(MEETING.audio() * 32768) / 32768).astype(np.float32)
    async with (
        await open_socket(server, poisoned, "mode=receiver") as receiver,
        await open_socket(server, poisoned, "mode=receiver&v=2") as follower,
        await open_socket(server, healthy, "mode=sender") as bystander,
    ):
        listening = [asyncio.create_task(listen(socket)) for socket in (receiver, follower, bystander)]
        told = await send_meeting(server, poisoned, audio)
        await send_audio(bystander, np.concatenate([MEETING.speak(0), MEETING.speak(1)]))
        await bystander.send("close")
        received, followed, unharmed = await asyncio.gather(*listening)
    for heard in (told, received, followed):
        assert heard.lines == TEXTS[:2]
        assert heard.errors == ["recognition_failed"]
        assert heard.close_code == 4501
    assert unharmed.lines == TEXTS[:2]
    assert unharmed.close_code == 1000

    late = await listen(await open_socket(server, poisoned, "mode=receiver"))
    assert (late.lines, late.errors, late.close_code) == (TEXTS[:2], ["recognition_failed"], 4501)
    again = await listen(await open_socket(server, poisoned, "mode=sender"))
    assert again.errors == ["session_ended"]

    assert server.log.count("failed here") == MAX_FAILURES
    pk, state, failures = server.session(poisoned, "id, state, failures")
    assert (state, failures) == ("ended", MAX_FAILURES)
    flac = server.data_dir / "media" / "recordings" / f"{pk}.flac"
    kept, _ = soundfile.read(flac, dtype="int16")
    np.testing.assert_array_equal(kept, np.rint(audio * 32768))
