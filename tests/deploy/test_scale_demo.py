"""`make scale-demo`: a whole installation on this machine."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from deploy.local_servers import LocalProcess, wait_until
from tests.support.clients import MEETING, TEXTS, listen, send_audio
from tests.support.server import ROOT, SCRIPT

pytestmark = pytest.mark.slow(40)


@pytest.mark.usefixtures("servers_of_its_own")
async def test_a_session_is_the_same_on_both_web_processes(tmp_path: Path) -> None:
    models, log = tmp_path / "script.toml", tmp_path / "demo.log"
    models.write_text(SCRIPT)
    environment = {**os.environ, "ASR_MODELS": str(models), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "deploy.scale_demo"]
    demo = LocalProcess("demo", command, log=log, environment=environment, folder=ROOT)
    with demo:
        await asyncio.to_thread(
            wait_until, lambda: "Ctrl-C stops" in log.read_text(), "the demo does not start", timeout_s=300
        )
        first, second = re.findall(r"web-\d .*http://(\S+)", log.read_text())
        async with (
            await connect(f"ws://{first}/ws/asr/demo?mode=receiver", proxy=None) as receiver,
            await connect(f"ws://{second}/ws/asr/demo?mode=sender", proxy=None) as sender,
        ):
            listening = asyncio.create_task(listen(receiver))
            sent = asyncio.create_task(listen(sender))
            await send_audio(sender, MEETING.audio())
            await sender.send("close")
            for told in (await asyncio.wait_for(listening, 60), await sent):
                assert told.lines == TEXTS
        assert await asyncio.to_thread(demo.stop, timeout_s=120) == 0
    assert "Stopping" in log.read_text()
