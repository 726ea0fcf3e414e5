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
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from deploy.cutting_proxy import CuttingProxy
from sessions_app.recordings.files import to_int16
from tests.support.clients import MEETING, TEXTS, new_id, recording_file
from tests.support.server import ROOT, Server

EXAMPLES = ROOT / "examples"
sys.path.insert(0, str(EXAMPLES))

import resuming  # noqa: E402
import send  # noqa: E402
from resuming import (  # noqa: E402
    FRAME,
    SAMPLE_RATE,
    Backlog,
    Refused,
    ResumingReceiver,
    ResumingSender,
    say_trouble,
)

pytestmark = pytest.mark.slow

PATIENCE_S = 3
"""For so long the server waits for its senders."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("examples"), ASR_SENDER_RESUME_S=str(PATIENCE_S)) as running:
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


async def test_who_was_away_for_too_long_goes_on_in_another_session_and_nothing_is_missing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "MAX_PAUSE_S", 0.2)
    session, audio = new_id(), np.tile(MEETING.audio(), 2)
    taken = ResumingSender([f"ws://127.0.0.1:{server.port}"], f"{session}-2", recording(MEETING.speak(1)))
    async with CuttingProxy(server.port) as proxy, asyncio.timeout(60):
        await taken.run()
        sender = ResumingSender([f"ws://127.0.0.1:{proxy.port}"], session, recording(audio, pace_s=0.05))
        sending = asyncio.create_task(sender.run())
        while sender.backlog.end < 5 * SAMPLE_RATE:
            await asyncio.sleep(0.02)
        proxy.is_down = True
        proxy.cut()
        await ended(server, session)
        proxy.is_down = False
        await sending
    later = f"{session}-3"
    assert sender.sessions == [session, later]
    assert sender.lost == 0
    assert server.session(session, "closed_by, awaited_until") == ("absence", None)
    assert server.session(later, "closed_by, continues_id") == ("sender", *server.session(session, "id"))
    kept = np.concatenate([await recorded(server, session), await recorded(server, later)])
    np.testing.assert_array_equal(kept, to_int16(audio))


async def ended(server: Server, session: str) -> None:
    while server.session(session, "state") != ("ended",):
        await asyncio.sleep(0.05)


async def recorded(server: Server, session: str) -> np.ndarray:
    """Return what was kept of a session that has ended; int16, shape (n,)."""
    return np.asarray(soundfile.read(await recording_file(server, session), dtype="int16")[0])


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


def test_the_program_that_sends_asks_for_a_model_set_by_name(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "meeting.wav"
    soundfile.write(file, MEETING.audio(), 16_000, subtype="FLOAT")
    address = ["--server", f"ws://127.0.0.1:{server.port}", "--session", new_id()]
    monkeypatch.setattr(sys, "argv", ["send.py", str(file), "--models", "none-such", *address])

    with pytest.raises(SystemExit, match="closed with 4400"):
        send.main()
    assert "models='none-such' is not served: use one of script" in capsys.readouterr().err


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


def heard(sender: ResumingSender, closed_by: str, received: int) -> None:
    """Let a sender hear of an end."""
    end = {"received": received, "received_s": received / SAMPLE_RATE, "closed_by": closed_by}
    sender._hear({"asr": "", "event": {"type": "session_end", **end}})


class TestEnds:
    """Each is compared with what was recorded."""

    @pytest.fixture
    def sender(self) -> ResumingSender:
        sender = ResumingSender(["ws://127.0.0.1:9"], "meeting", recording(MEETING.speak(1)))
        sender.backlog.add(bytes(4 * 3 * SAMPLE_RATE))
        sender._resume = "meeting:signature"
        return sender

    def test_all_there_is_the_end(self, sender: ResumingSender) -> None:
        sender.backlog.complete()
        heard(sender, "sender", 3 * SAMPLE_RATE)
        assert sender._has_ended
        assert sender.sessions == ["meeting"]

    @pytest.mark.parametrize("closed_by", ["absence", "limit"])
    def test_one_that_nobody_wanted_leads_to_the_next_session(
        self, sender: ResumingSender, closed_by: str
    ) -> None:
        told: list[tuple[str, float]] = []
        sender._on_next = lambda *next_: told.append(next_)
        heard(sender, closed_by, 2 * SAMPLE_RATE)
        assert told == [("meeting-2", 2.0)]
        assert (sender._continues, sender._resume, sender._has_ended) == ("meeting:signature", "", False)
        sender._resume = "meeting-2:signature"
        heard(sender, closed_by, SAMPLE_RATE // 2)
        assert told[1:] == [("meeting-3", 2.5)]
        assert sender.sessions == ["meeting", "meeting-2", "meeting-3"]

    def test_while_the_recording_goes_on_even_if_nothing_is_missing_yet(self, sender: ResumingSender) -> None:
        heard(sender, "absence", 3 * SAMPLE_RATE)
        assert sender.sessions == ["meeting", "meeting-2"]

    @pytest.mark.parametrize("closed_by", ["person", "sender", "failure"])
    def test_any_other_is_an_error_that_says_what_is_missing(
        self, sender: ResumingSender, closed_by: str
    ) -> None:
        with pytest.raises(
            Refused, match=rf"meeting was ended by {closed_by} at 2\.0 s; 1\.0 s that were recorded since"
        ):
            heard(sender, closed_by, 2 * SAMPLE_RATE)

    def test_an_id_that_had_ended_before_is_refused_unless_it_may_be_ours(
        self, sender: ResumingSender
    ) -> None:
        sender._resume = ""
        gone = ConnectionClosedError(Close(4410, ""), None)
        sender.connection.attempts = 1
        assert not sender._is_taken(gone)
        sender.connection.attempts = 2
        assert sender._is_taken(gone)
        assert not sender._is_taken(ConnectionClosedError(Close(4403, ""), None))
        sender._take_next_id(replaces=False)
        assert sender.sessions == ["meeting", "meeting-2"]
        sender._take_next_id(replaces=True)
        assert sender.sessions == ["meeting", "meeting-3"]

    def test_a_long_id_is_shortened_and_not_twice_the_same(self) -> None:
        ids = {resuming.numbered("会" * 64, number) for number in (2, 3, 10, 11)}
        assert len(ids) == 4
        assert max(map(len, ids)) == 64


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

    @pytest.mark.parametrize("unsent_s", [0, 300])
    async def test_what_the_server_has_is_forgotten_but_for_its_last_minute_however_much_waits_behind(
        self, unsent_s: int
    ) -> None:
        backlog = Backlog()
        for _ in range(90 + unsent_s):
            backlog.add(bytes(resuming.SAMPLE_RATE * 4))
        backlog.forget(90 * resuming.SAMPLE_RATE)
        assert backlog.start == 20 * resuming.SAMPLE_RATE
