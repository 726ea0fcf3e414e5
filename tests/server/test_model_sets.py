"""Two sessions of different model sets at once over real sockets of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from recognition.model_sets.reading import read_model_set
from sessions_app.sample import demo
from tests.support.clients import MEETING, TEXTS, listen, new_id, open_socket, send_meeting
from tests.support.server import Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the scripted set as the default, and the built-in one."""
    if read_model_set("embedded").missing(Path("var/models")):
        pytest.skip("the weights of the embedded models are not in this checkout")
    data_dir = tmp_path_factory.mktemp("sets")
    with Server(data_dir, ASR_MODELS=f"{data_dir / 'script.toml'},embedded") as running:
        yield running


async def test_each_session_is_recognised_by_the_set_it_asked_for(server: Server) -> None:
    speech, _ = soundfile.read(demo.SAMPLE / "meeting.flac", dtype="float32", frames=5 * 16_000)
    scripted, people = new_id(), new_id()

    of_script, of_meeting = await asyncio.gather(
        send_meeting(server, scripted, MEETING.audio()),
        send_meeting(server, people, speech, "mode=sender&v=2&models=embedded"),
    )

    assert of_script.lines == TEXTS
    assert "大家好" in "".join(of_meeting.lines)
    assert [hello["models"] for hello in of_meeting.events("hello")] == ["embedded"]
    assert server.session(scripted, "model_set") == ("script",)
    assert server.session(people, "model_set") == ("embedded",)


async def test_one_that_is_not_served_is_refused(server: Server) -> None:
    async with await open_socket(server, new_id(), "mode=sender&models=people") as socket:
        told = await asyncio.wait_for(listen(socket), 20)

    assert told.errors == ["bad_parameter"]
    assert told.close_code == 4400
