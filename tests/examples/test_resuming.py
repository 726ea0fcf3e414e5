"""The clients in `examples/`, over a network that cuts connections."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from deploy.cutting_proxy import CuttingProxy
from tests.support.clients import MEETING, TEXTS, new_id
from tests.support.server import ROOT, Server

EXAMPLES = ROOT / "examples"
sys.path.insert(0, str(EXAMPLES))

import resuming  # noqa: E402
import send  # noqa: E402
from resuming import (  # noqa: E402
    FRAME,
    Backlog,
    Refused,
    ResumingReceiver,
    ResumingSender,
    say_trouble,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("examples"), ASR_SENDER_RETURN_S="10") as running:
        yield running


async def recording(audio: np.ndarray, *, pace_s: float = 0.02) -> AsyncIterator[bytes]:
    data = audio.astype("<f4").tobytes()
    for at in range(0, len(data), FRAME):
        yield data[at : at + FRAME]
        await asyncio.sleep(pace_s)


async def cut_again_and_again(proxy: CuttingProxy) -> None:
    while True:
        await asyncio.sleep(0.4)
        proxy.cut()


async def test_a_meeting_comes_through_whole_though_connections_are_cut(server: Server) -> None:
    session = new_id()
    async with CuttingProxy(server.port) as proxy:
        servers = [f"ws://127.0.0.1:{proxy.port}"]
        receivers = [ResumingReceiver(servers, session) for _ in range(3)]
        following = [asyncio.create_task(receiver.run()) for receiver in receivers]
        cutting = asyncio.create_task(cut_again_and_again(proxy))
        sender = ResumingSender(servers, session, recording(MEETING.audio(), pace_s=0.05))
        async with asyncio.timeout(60):
            await sender.run()
            await asyncio.gather(*following)
        cutting.cancel()
    assert proxy.cuts > 5
    assert sender.connection.attempts > 2
    assert sender.lost == 0
    for receiver in receivers:
        assert [line["asr"] for line in receiver.lines.values()] == TEXTS
        assert receiver.repeated == 0
    assert server.session(session, "durable") == (len(MEETING.audio()),)


async def test_the_speakers_are_the_same_after_a_cut(server: Server) -> None:
    session = new_id()
    async with CuttingProxy(server.port) as proxy:
        servers = [f"ws://127.0.0.1:{proxy.port}"]
        receiver = ResumingReceiver(servers, session)
        following = asyncio.create_task(receiver.run())
        sender = ResumingSender(servers, session, recording(MEETING.audio()))
        sending = asyncio.create_task(sender.run())
        async with asyncio.timeout(60):
            while not receiver.lines:
                await asyncio.sleep(0.02)
            proxy.cut()
            await sending
            await following
    first, _, third, _ = receiver.lines.values()
    assert first["spk"]["speaker_id"] == third["spk"]["speaker_id"]


async def test_a_sender_that_is_not_wanted_says_so(server: Server) -> None:
    sender = ResumingSender([f"ws://127.0.0.1:{server.port}"], "no session id", recording(MEETING.speak(1)))
    with pytest.raises(Refused):
        await asyncio.wait_for(sender.run(), 10)


async def test_the_next_server_is_tried_when_one_is_gone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "FIRST_PAUSE_S", 0.01)
    servers = ["ws://127.0.0.1:9", f"ws://127.0.0.1:{server.port}"]
    sender = ResumingSender(servers, new_id(), recording(MEETING.speak(1)))
    await asyncio.wait_for(sender.run(), 10)
    assert sender.connection.attempts == 2


async def test_the_programs_print_who_says_what(server: Server, tmp_path: Path) -> None:
    session = new_id()
    file = tmp_path / "meeting.wav"
    soundfile.write(file, MEETING.audio(), 16_000, subtype="FLOAT")
    address = ("--server", f"ws://127.0.0.1:{server.port}")
    sent = await run("send.py", str(file), "--session", session, "--speed", "20", *address)
    received = await run("receive.py", session, *address)
    for text in TEXTS:
        assert f": {text}" in sent
        assert f": {text}" in received
    assert "Speaker 1: 大家好" in sent


class TestTrouble:
    """Nothing of it leaves anybody waiting without a word."""

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("none.wav", None, "there is no file .*none.wav"),
            ("notes.wav", b"no sound", "notes.wav cannot be read: Format not recognised."),
        ],
    )
    def test_a_file_that_is_no_recording_is_named(
        self, tmp_path: Path, name: str, content: bytes | None, said: str
    ) -> None:
        if content:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(SystemExit, match=said):
            send.open_file(str(tmp_path / name))

    def test_a_recording_at_another_rate_comes_with_the_command_that_converts_it(
        self, tmp_path: Path
    ) -> None:
        file = tmp_path / "stereo.wav"
        soundfile.write(file, np.zeros((480, 2)), 48_000)
        with pytest.raises(SystemExit, match=r"2 channel\(s\) at 48000 Hz, not 1 at 16000.*\nffmpeg -i "):
            send.open_file(str(file))

    async def test_audio_that_fails_at_once_makes_no_session(self) -> None:
        sender = ResumingSender(["ws://127.0.0.1:9"], new_id(), failing_after(0))
        with pytest.raises(OSError, match="the microphone is gone"):
            await asyncio.wait_for(sender.run(), 5)
        assert sender.connection.attempts == 0

    async def test_audio_that_fails_later_is_sent_as_far_as_it_goes(self, server: Server) -> None:
        session = new_id()
        sender = ResumingSender([f"ws://127.0.0.1:{server.port}"], session, failing_after(3))
        with pytest.raises(OSError, match="the microphone is gone"):
            await asyncio.wait_for(sender.run(), 10)
        assert server.session(session, "state, durable") == ("ended", 3 * FRAME // 4)

    @pytest.mark.parametrize("client", [ResumingSender, ResumingReceiver])
    async def test_a_server_that_is_not_there_is_named_at_every_attempt(
        self, client: type[ResumingSender | ResumingReceiver], capsys: pytest.CaptureFixture[str]
    ) -> None:
        audio = (recording(MEETING.speak(1)),) if client is ResumingSender else ()
        running = client(["ws://127.0.0.1:9"], "x", *audio, on_trouble=say_trouble)
        running.connection._pause_s = 0.01
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(running.run(), 0.3)
        first, second, *_ = capsys.readouterr().err.splitlines()
        said = r"\(ws://127\.0\.0\.1:9: .*Connect call failed.*; next attempt in 0\.\d s\)"
        assert re.fullmatch(said, first)
        assert re.fullmatch(said, second)


async def failing_after(pieces: int) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        yield bytes(FRAME)
    raise OSError("the microphone is gone")


async def run(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / program), *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return output.decode()


class TestBacklog:
    async def test_pieces_begin_where_they_are_asked_for(self) -> None:
        backlog = Backlog()
        backlog.add(bytes(range(40)))
        backlog.add(bytes(range(40, 80)))
        assert await backlog.read(3) == bytes(range(12, 40))
        assert await backlog.read(10) == bytes(range(40, 80))

    async def test_the_end_of_a_complete_recording_is_empty(self) -> None:
        backlog = Backlog()
        backlog.add(bytes(40))
        backlog.complete()
        assert await backlog.read(10) == b""

    async def test_what_is_durable_is_forgotten_but_for_the_last_minute(self) -> None:
        backlog = Backlog()
        for _ in range(90):
            backlog.add(bytes(resuming.SAMPLE_RATE * 4))
        backlog.forget(80 * resuming.SAMPLE_RATE)
        assert backlog.start == 30 * resuming.SAMPLE_RATE
