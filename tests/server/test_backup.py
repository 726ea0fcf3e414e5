"""A backup of a running server, restored elsewhere."""

from __future__ import annotations

import asyncio
import hashlib
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.support.clients import MEETING, TEXTS, new_id, open_socket, send_audio, send_meeting
from tests.support.server import Server

pytestmark = pytest.mark.slow(20)

SPEECH = np.concatenate([MEETING.speak(0), MEETING.speak(1)])
ENDED = "SELECT key, state FROM sessions_app_session WHERE key != ? ORDER BY key"
LINES = "SELECT session_id, seq, text FROM sessions_app_utterance ORDER BY id"


def recordings(server: Server) -> dict[str, str]:
    folder = server.data_dir / "media" / "recordings"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.flac*")}


async def test_a_running_server_is_restored_elsewhere(tmp_path: Path) -> None:
    with Server(tmp_path / "first", kind="daphne", ASR_ENCRYPT_RECORDINGS="1") as server:
        for _ in range(3):
            await send_meeting(server, new_id(), SPEECH)
        async with await open_socket(server, session := new_id(), "mode=sender") as socket:
            await send_audio(socket, SPEECH)
            backup = tmp_path / "backup.tar"
            await asyncio.to_thread(server.manage, "backup", str(backup))
        ended = server.query(ENDED, session)
        lines = server.query(LINES)
        kept = recordings(server)

    assert backup.stat().st_mode & 0o777 == 0o600
    with tarfile.open(backup) as tar:
        assert not {"secret_key", "voiceprint_keys"} & set(tar.getnames())
    other = Server(tmp_path / "second", kind="daphne")
    assert "are back" in other.manage("restore", str(backup))
    assert other.query(ENDED, session) == ended
    assert len(ended) == 3
    found = other.query(LINES)
    assert found == lines[: len(found)]
    assert len(found) >= 3 * len(TEXTS[:2])
    assert recordings(other).items() <= kept.items()
    assert len(recordings(other)) >= 3
    assert all(name.endswith(".flac-sealed") for name in recordings(other))
    with pytest.raises(RuntimeError, match="is not empty"):
        other.manage("restore", str(backup))
    other.start()  # goes on with the session that was live
    other.stop()
