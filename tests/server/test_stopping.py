"""A server that is told to stop says goodbye, keeps what it heard, and goes on after its return."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from tests.support.clients import MEETING, TEXTS, Told, listen, new_id, open_socket, send_audio
from tests.support.server import Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    data_dir = tmp_path_factory.mktemp(f"stopping-{request.param}")
    with Server(data_dir, kind=request.param, ASR_SENDER_RETURN_S="5") as running:
        yield running


@pytest.fixture
def server(installation: Server) -> Server:
    """It runs, whatever the test before has done to it."""
    if not installation.is_running:
        installation.start()
    return installation


async def stop(server: Server) -> None:
    began = time.monotonic()
    status = await asyncio.to_thread(server.stop)
    assert time.monotonic() - began < 20
    if server.kind == "daphne":
        assert status == 0


async def test_everyone_is_told_why_and_may_come_again(server: Server) -> None:
    if server.kind != "daphne":
        pytest.skip("uvicorn closes the sockets itself, with 1012")
    session = new_id()
    async with (
        await open_socket(server, session, "mode=sender") as sender,
        await open_socket(server, session, "mode=receiver") as plain,
        await open_socket(server, session, "mode=receiver&v=2") as receiver,
    ):
        listening = [asyncio.create_task(listen(socket)) for socket in (sender, plain, receiver)]
        await send_audio(sender, MEETING.speak(0))
        await stop(server)
        for told in await asyncio.gather(*listening):
            assert told.close_code == 4503
            assert told.errors == ["going_away"]
    assert listening[2].result().events("session")[-1]["state"] == "going_away"


async def test_no_audio_that_came_in_is_lost_and_the_session_goes_on(server: Server) -> None:
    session = new_id()
    first, second = MEETING.speak(0), MEETING.speak(1)
    async with await open_socket(server, session, "mode=sender") as sender:
        listening = asyncio.create_task(listen(sender))
        await send_audio(sender, first)
        await asyncio.sleep(0.5)
        await stop(server)
        await listening
    assert server.session(session, "state, recorded, last_seq") == ("paused", len(first), 1)

    await asyncio.to_thread(server.start)
    async with await open_socket(server, session, "mode=sender") as sender:
        listening = asyncio.create_task(listen(sender))
        await send_audio(sender, second)
        await sender.send("close")
        told = await asyncio.wait_for(listening, 30)
    assert told.lines == TEXTS[:2]
    assert told.close_code == 1000
    kept = len(first) + len(second)
    assert server.session(session, "state, durable, last_seq") == ("ended", kept, 2)


async def test_a_session_whose_sender_does_not_return_is_ended_after_the_next_start(server: Server) -> None:
    session = new_id()
    async with await open_socket(server, session, "mode=sender") as sender:
        listening = asyncio.create_task(listen(sender))
        await send_audio(sender, MEETING.speak(0))
        await asyncio.sleep(0.5)
        await stop(server)
        await listening
    await asyncio.to_thread(server.start)
    async with await open_socket(server, session, "mode=receiver&v=2") as receiver:
        told = await asyncio.wait_for(listen(receiver), 30)
    assert told.lines == TEXTS[:1]
    assert told.close_code == 1000
    states = [event["state"] for event in told.events("session")]
    assert states[-1] == "ended"


async def test_a_killed_server_loses_nothing_that_a_sender_can_send_again(server: Server) -> None:
    session = new_id()
    audio = MEETING.audio()
    async with await open_socket(server, session, "mode=sender&v=2") as sender:
        hello = json.loads(await sender.recv())["event"]
        heard = Told()
        listening = asyncio.create_task(listen(sender, heard))
        await send_audio(sender, audio[:60_000])
        while not (durable := max((ack["durable"] for ack in heard.events("ack")), default=0)):
            await asyncio.sleep(0.05)
        await asyncio.to_thread(server.stop, 9)
        await listening
    await asyncio.to_thread(server.start)
    async with await open_socket(server, session, f"mode=sender&v=2&resume={hello['resume']}") as sender:
        position = json.loads(await sender.recv())["event"]["resume_from"]
        assert durable <= position <= 60_000
        listening = asyncio.create_task(listen(sender))
        await send_audio(sender, audio[position:])
        await sender.send("close")
        told = await asyncio.wait_for(listening, 30)
    assert told.lines == TEXTS
    assert told.messages[-1]["event"]["recognised_s"] == len(audio) / 16_000
