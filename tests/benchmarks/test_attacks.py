"""The attacks stop by themselves, on this machine, and what is told of the meeting beside them is true."""

from __future__ import annotations

import asyncio
import inspect
import time

import pytest

from benchmarks.attacks import attackers
from benchmarks.attacks.__main__ import Beside, delays, figures, lost_lines
from benchmarks.attacks.attackers import ATTACKS, masked, stranger
from benchmarks.latency import Heard
from deploy.local_servers import free_port


def heard(*waits: float, texts: list[str] | None = None) -> Heard:
    finals = [(float(at), at + 1.0, at + 1.0 + wait) for at, wait in enumerate(waits)]
    return Heard(
        finals=finals, texts=texts if texts is not None else [f"line {at}" for at in range(len(waits))]
    )


class TestFigures:
    def test_how_much_later_than_alone(self) -> None:
        told = figures(heard(0.2, 0.2), Beside(heard(0.7, 0.7), {"403": 3}, 1.5))
        assert told["later_p95_s"] == 0.5
        assert (told["lines"], told["lost"], told["grown_mib"], told["answers"]) == (2, 0, 1.5, {"403": 3})

    def test_sooner_is_not_later(self) -> None:
        assert figures(heard(0.7), Beside(heard(0.2), {}, 0.0))["later_p95_s"] == 0.0

    def test_a_meeting_without_a_line_is_as_late_as_can_be(self) -> None:
        told = figures(heard(0.2), Beside(heard(), {}, 0.0))
        assert told["lost"] == 1
        assert told["later_p95_s"] > 1e6
        assert delays(heard())["lines"] == 0

    @pytest.mark.parametrize(
        ("wanted", "come", "lost"),
        [
            (["a", "b"], ["a", "b"], 0),
            (["a", "b"], ["a", "x", "b"], 0),
            (["a", "b"], ["a"], 1),
            (["a", "a"], ["a"], 1),
            (["a", "b"], ["b", "a"], 1),
            (["a", "b"], [], 2),
        ],
    )
    def test_lines_that_are_missing_are_counted(self, wanted: list[str], come: list[str], lost: int) -> None:
        assert lost_lines(wanted, come) == lost


class TestAttackers:
    @pytest.mark.parametrize("name", ATTACKS)
    async def test_each_ends_by_itself_though_nobody_answers(self, name: str) -> None:
        began = time.monotonic()
        await attackers.run(name, free_port(), 0.1)
        assert time.monotonic() - began < 10

    def test_they_reach_this_machine_alone(self) -> None:
        source = inspect.getsource(attackers)
        assert attackers.HOST == "127.0.0.1"
        assert source.count("ws://") == source.count("ws://{HOST}")
        assert source.count("open_connection(") == source.count("open_connection(HOST")

    def test_strangers_have_addresses_of_networks_for_benchmarks(self) -> None:
        assert stranger(0) == "198.18.0.1"
        assert len({stranger(number) for number in range(20_000)}) == 20_000

    def test_frames_are_what_a_client_sends(self) -> None:
        assert masked(0x1, b"x") == b"\x81\x81\0\0\0\0x"
        assert masked(0x2, b"x" * 200)[:4] == b"\x82\xfe\x00\xc8"

    async def test_what_fails_is_counted_and_the_rest_goes_on(self) -> None:
        async def work(number: int) -> str:
            if number % 2:
                raise ConnectionResetError
            return "ok"

        until = asyncio.get_running_loop().time() + 60
        assert await attackers.many(3, work, until, most=10) == {"ok": 5, "ConnectionResetError": 5}
