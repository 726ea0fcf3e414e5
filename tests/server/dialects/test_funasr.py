"""FunASR's clients on a running server: every line of the meeting, by whoever said it, in their words."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from tests.server.dialects.conftest import BEGINNING, Spoken, in_words, pcm, said, titles
from tests.support import funasr_clients as clients
from tests.support.server import Server

pytestmark = pytest.mark.xdist_group("dialects")


def address(server: Server, query: str = "") -> str:
    return f"ws://127.0.0.1:{server.port}/{query}"


def lines(told: list[dict[str, Any]]) -> list[Spoken]:
    """The finished lines of 2pass."""
    finished = [each for each in told if each["mode"] == "2pass-offline" and each["text"]]
    return [(each["spk_name"], each["text"]) for each in finished]


def words(text: str) -> list[str]:
    """The words that have times: runs of digits, and each character."""
    return re.findall(r"\d+|[^\W\d]", text)


def plain(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def increments(told: list[dict[str, Any]]) -> list[str]:
    """All characters of online mode; a hurried sender may hear an utterance before the last is over."""
    return sorted("".join(each["text"] for each in told))


def text_of_beginning() -> str:
    return "".join(text for _, text in said()[:BEGINNING])


class TestPythonClient:
    async def test_2pass_has_every_line_with_its_speaker_and_its_times(
        self, house: Server, meeting: bytes
    ) -> None:
        told = await clients.python_client(address(house), {"demo": meeting})
        assert lines(told) == said()
        assert [each["is_final"] for each in told[:-2]] == [False] * (len(told) - 2)
        assert told[-1]["is_end"] is True
        for each in told:
            if each["mode"] == "2pass-offline" and each["text"]:
                pairs = json.loads(each["timestamp"])
                assert len(pairs) == len(words(each["text"]))
                assert pairs == sorted(pairs)
                assert each["start_time"] <= pairs[0][0] <= pairs[-1][1] <= each["end_time"]
                assert (each["spk_score"] > 0.5) is (each["spk_name"] != "Speaker 1")

    async def test_online_has_every_word_in_increments(self, house: Server, beginning: bytes) -> None:
        told = await clients.python_client(address(house), {"demo": beginning}, mode="online")
        assert {each["mode"] for each in told} == {"online"}
        # Nothing is taken back of what is said while somebody speaks: numbers stay in words.
        assert increments(told) == sorted(plain("".join(text for _, text in in_words()[:BEGINNING])))

    async def test_offline_has_all_of_it_in_one_message(self, house: Server, beginning: bytes) -> None:
        told = await clients.python_client(address(house), {"demo": beginning}, mode="offline")
        [result, end] = told
        assert result["text"] == text_of_beginning()
        assert len(json.loads(result["timestamp"])) == len(words(text_of_beginning()))
        assert (end["is_end"], end["text"]) == (True, "")

    async def test_several_recordings_on_one_socket_are_sessions_of_their_own(
        self, house: Server, first_lines: bytes
    ) -> None:
        names = ["first", "second", "third"]
        told = await clients.python_client(address(house), dict.fromkeys(names, first_lines))
        for name in names:
            assert lines([each for each in told if each["wav_name"] == name]) == said()[:2]
        assert [*titles(house)][-3:] == names

    async def test_another_rate_is_heard_as_well(self, house: Server, first_lines: bytes) -> None:
        audio = np.repeat(np.frombuffer(first_lines, "<i2"), 3).tobytes()
        told = await clients.python_client(address(house), {"demo": audio}, rate=48_000)
        assert [text for _, text in lines(told)] == [text for _, text in said()[:2]]


class TestOtherClients:
    @pytest.mark.parametrize("mode", ["2pass", "online"])
    async def test_html5_with_a_microphone(self, house: Server, first_lines: bytes, mode: str) -> None:
        told = await clients.html5_microphone(address(house), first_lines, mode=mode)
        if mode == "2pass":
            assert lines(told) == said()[:2]
        else:
            assert increments(told) == sorted(plain("".join(text for _, text in said()[:2])))

    async def test_html5_with_a_file(self, house: Server, first_lines: bytes) -> None:
        [told] = await clients.html5_file(address(house), first_lines)
        assert told["text"] == "".join(text for _, text in said()[:2])
        assert json.loads(told["timestamp"])[0][0] < 1000

    async def test_the_c_plus_plus_client_hangs_up_with_the_last_line(
        self, house: Server, beginning: bytes
    ) -> None:
        told = await clients.cpp_client(address(house), beginning)
        assert lines(told) == said()[:BEGINNING]

    async def test_the_java_client(self, house: Server, first_lines: bytes) -> None:
        [told] = await clients.java_client(address(house), first_lines)
        assert told["text"] == "".join(text for _, text in said()[:2])

    async def test_xiaozhi_sends_an_utterance_at_once(self, house: Server, first_lines: bytes) -> None:
        assert len(first_lines) > 150_000
        assert await clients.xiaozhi(address(house), first_lines) == "".join(text for _, text in said()[:2])

    async def test_the_client_of_the_realtime_server(self, house: Server, meeting: bytes) -> None:
        told = await clients.nano_client(address(house), meeting)
        assert told[:3] == [
            {"event": "hotwords_set", "hotwords": ["阿里巴巴", "达摩院"]},
            {"event": "language_set", "language": "中文"},
            {"event": "started"},
        ]
        last = told[-2]
        assert [(each["spk_name"], each["text"]) for each in last["sentences"]] == said()
        assert last["is_final"] is True
        numbers = {each["spk"]: each["spk_name"] for each in last["sentences"]}
        assert numbers == {0: "林静", 1: "王磊", 2: "Speaker 1"}


class TestTrouble:
    async def test_a_hello_that_is_none_leaves_it_open(self, house: Server, first_lines: bytes) -> None:
        async with clients.opened(address(house)) as socket:
            await socket.send("nonsense")
            told = json.loads(await socket.recv())
            assert told["code"] == "bad_command"
            assert "is no JSON object" in told["error"]
            assert told["is_final"] is False
            await socket.send(first_lines)
            await socket.send('{"is_speaking": false}')
            assert lines(await clients.until(socket, "is_final")) == said()[:2]

    @pytest.mark.parametrize("where", ["header", "query", "hello"])
    async def test_a_wrong_token_is_told_in_its_words(self, house: Server, where: str) -> None:
        query = "?token=wrong" if where == "query" else ""
        headers = {"Authorization": "Bearer wrong"} if where == "header" else {}
        async with clients.opened(address(house, query), headers) as socket:
            if where == "hello":
                await socket.send('{"mode": "2pass", "token": "wrong"}')
            await socket.send(bytes(3200))
            [told] = await clients.rest(socket)
            assert (told["code"], told["is_final"], told["text"]) == ("forbidden", True, "")
            assert socket.close_code == 4403

    async def test_an_impossible_rate_is_told_in_its_words(self, house: Server) -> None:
        async with clients.opened(address(house)) as socket:
            await socket.send('{"audio_fs": 1000}')
            await socket.send(bytes(3200))
            [told] = await clients.rest(socket)
            assert "1000 is not possible" in told["error"]
            assert socket.close_code == 4400

    async def test_a_file_that_is_no_wav_is_too(self, house: Server) -> None:
        async with clients.opened(address(house)) as socket:
            await socket.send('{"mode": "offline", "wav_format": "mp3", "wav_name": "x.mp3"}')
            await socket.send(b"ID3" + bytes(3200))
            [told] = await clients.rest(socket)
            assert told["error"] == "wav_format='mp3' is not taken here: send PCM or WAV"
            assert socket.close_code == 4415

    @pytest.mark.parametrize("size", [1024 * 1024 + 2, 5_000_000])
    @pytest.mark.parametrize("is_text", [False, True], ids=["binary", "text"])
    async def test_too_large_a_message_ends_with_a_sentence(
        self, house: Server, size: int, is_text: bool
    ) -> None:
        async with clients.opened(address(house)) as socket:
            await socket.send('{"mode": "2pass"}')
            with contextlib.suppress(ConnectionClosed):  # it was told so while it sent
                await socket.send("x" * size if is_text else bytes(size))
            [told] = await clients.rest(socket)
            assert told["error"] == f"a message of {size} bytes is too large: send at most 1048576"
            assert socket.close_code == 4413

    async def test_one_of_1_mib_is_taken(self, house: Server) -> None:
        audio = pcm(np.zeros(1024 * 512, np.float32))
        assert await clients.xiaozhi(address(house), audio) == ""

    async def test_who_vanishes_leaves_a_session_that_has_ended_with_its_lines(
        self, house: Server, first_lines: bytes
    ) -> None:
        async with clients.opened(address(house)) as socket:
            await socket.send('{"mode": "2pass", "wav_name": "vanished"}')
            await socket.send(first_lines)
            await clients.until(socket, "spk_name")
        for _ in range(100):
            rows = house.query("SELECT state, last_seq FROM sessions_app_session WHERE title = 'vanished'")
            if rows == [("ended", 2)]:
                return
            await asyncio.sleep(0.1)
        pytest.fail(f"the session is still {rows}")
