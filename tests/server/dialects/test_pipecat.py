"""Pipecat's client for Deepgram on a running server: its agents hear every line of a meeting."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.licences import PIPECAT
from tests.server.dialects.conftest import said
from tests.support.server import Server

pytestmark = pytest.mark.xdist_group("dialects")

AGENT = Path(__file__).with_name("pipecat_agent.py")
RESULT_S = 180.0
SILENCE = bytes(2 * 2 * 16_000)
"""Two seconds, after which the last line has ended: an agent says no end."""


async def heard(server: Server, audio: bytes, lines: int, *, times: float = 100.0) -> list[dict[str, Any]]:
    """All that an agent is told until it has so many lines."""
    agent = await asyncio.create_subprocess_exec(
        sys.executable,
        AGENT,
        f"ws://127.0.0.1:{server.port}",
        str(lines),
        str(times),
        env=os.environ | {"PYTHONPATH": str(PIPECAT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(RESULT_S):
        told, log = await agent.communicate(audio + SILENCE)
    assert agent.returncode == 0, log.decode()
    return [json.loads(line) for line in told.splitlines()]


async def test_every_line_is_heard_by_whoever_said_it(house: Server, meeting: bytes) -> None:
    told = [line for line in await heard(house, meeting, len(said())) if line["is_final"]]
    assert [line["text"] for line in told] == [text for _, text in said()]
    numbers: dict[str, int] = {}
    for line, (name, _) in zip(told, said(), strict=True):
        assert line["speakers"] == [numbers.setdefault(name, line["speakers"][0])]
    assert len(set(numbers.values())) == len(numbers)


async def test_a_line_is_shown_before_it_has_ended(house: Server, first_lines: bytes) -> None:
    told = await heard(house, first_lines, 1, times=1.0)
    assert [line["is_final"] for line in told].index(True) > 0
