"""A backup of a running server with many meetings, restored elsewhere and compared by count and hash.

    python -m benchmarks.backup --meetings 144

One process with SQLite; most meetings have ended, some go on while the backup is written. What had ended must
be there to the last byte; of what went on, a part that is whole. Writes `benchmarks/results/backup.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from deploy.local_cluster import ROOT, WebProcess

from . import results
from .chaos.audio import FRAME, SAMPLE_RATE, Recording
from .transport.service import MODELS, embedded_process

FRAMES = 64
"""Of a meeting: two stretches of speech, 12.8 s."""

LONGEST = 9000
"""Frames of one that goes on: half an hour, far more than a backup takes."""

AT_ONCE = 6

OF_SESSIONS = "SELECT s.key, x.* FROM {} x JOIN sessions_app_session s ON s.id = x.session_id ORDER BY x.id"

TABLES = {"lines": "sessions_app_utterance", "voices": "sessions_app_voice"}

SESSIONS = """
SELECT key, id, title, model_set, created_at, ended_at, closed_by, epoch, durable, last_seq, last_revision
FROM sessions_app_session WHERE state = 'ended'
"""
"""Without what is drawn from the lines a little later."""

Rows = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an installation has, each row and file by its hash."""

    sessions: Mapping[str, str]
    """Hashes by key, of those that have ended."""

    lines: Rows
    """By the key of their session, as `voices`; also of those that go on."""

    voices: Rows
    recordings: Mapping[str, str]
    """By the name of their file."""


def differences(before: Holdings, after: Holdings) -> list[str]:
    """Return what is not the same in an installation and in what was restored of it, in words.

    Meetings that had not ended when the backup was made have their first lines in it; whatever came later,
    in them and in others, is none of its business.
    """
    found = [f"session {key}" for key, row in after.sessions.items() if before.sessions.get(key) != row]
    for name in ("lines", "voices"):
        known, kept = getattr(before, name), getattr(after, name)
        for key in after.sessions:
            if known.get(key, ()) != kept.get(key, ()):
                found.append(f"{name} of {key}")
    for key, rows in after.lines.items():
        if key not in after.sessions and list(rows) != list(before.lines.get(key, ()))[: len(rows)]:
            found.append(f"lines of {key}, which went on")
    found += [
        f"file {name}" for name, file in after.recordings.items() if before.recordings.get(name) != file
    ]
    return found


def holdings(data_dir: Path) -> Holdings:
    """Read what is in a folder of data."""
    with closing(sqlite3.connect(data_dir / "asrsite.sqlite3", timeout=60)) as database:
        sessions = {row[0]: _hash(repr(row).encode()) for row in database.execute(SESSIONS)}
        tables: dict[str, Rows] = {}
        for name, table in TABLES.items():
            rows: dict[str, list[str]] = defaultdict(list)
            for key, *row in database.execute(OF_SESSIONS.format(table)):
                rows[key].append(_hash(repr(row).encode()))
            tables[name] = dict(rows)
    files = sorted((data_dir / "media" / "recordings").glob("*.flac"))
    return Holdings(sessions, recordings={file.name: _hash(file.read_bytes()) for file in files}, **tables)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def speak(web: WebProcess, number: int, *, until: asyncio.Event | None = None) -> None:
    """Send a meeting, and wait for its end; at real time until something has happened, or all at once."""
    async with connect(web.socket(f"meeting-{number}", "mode=sender"), proxy=None) as socket:
        for frame in Recording(number, LONGEST if until else FRAMES, has_pauses=True):
            await socket.send(frame.tobytes())
            await asyncio.sleep(FRAME / SAMPLE_RATE if until else 0)
            if until and until.is_set():
                break
        await socket.send("close")
        async for _ in socket:
            pass


async def hold_meetings(web: WebProcess, count: int) -> None:
    """Let so many take place, a few at a time."""
    numbers = iter(range(count))

    async def one_after_the_other() -> None:
        for number in numbers:
            await speak(web, number)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


async def measure(folder: Path, *, meetings: int, running: int) -> dict[str, Any]:
    """Return how many of everything are back, what is not the same, and how long it took."""
    first, second, backup = folder / "first", folder / "second", folder / "backup.tar"
    for data_dir in (first, second):
        data_dir.mkdir()
    with embedded_process(first, models=str(MODELS), ASR_CAPACITY="40", LOG_LEVEL="WARNING") as web:
        await hold_meetings(web, meetings - running)
        is_made = asyncio.Event()
        going_on = [
            asyncio.create_task(speak(web, meetings - number, until=is_made))
            for number in range(1, running + 1)
        ]
        await asyncio.sleep(FRAMES * FRAME / SAMPLE_RATE)
        backup_s = await asyncio.to_thread(manage, first, "backup", str(backup))
        is_made.set()
        await asyncio.gather(*going_on)
    restore_s = await asyncio.to_thread(manage, second, "restore", str(backup))
    before, after = holdings(first), holdings(second)
    wrong, ended = differences(before, after), meetings - running
    for difference in wrong:
        print(difference)
    return {
        "meetings": meetings,
        "running": running,
        "running_back": len(after.lines.keys() - after.sessions.keys()),
        "sessions_back": len(after.sessions),
        "lines_back": sum(map(len, after.lines.values())),
        "voices_back": sum(map(len, after.voices.values())),
        "recordings_back": len(after.recordings),
        "missing_sessions": ended - len(after.sessions),
        "missing_recordings": ended - len(after.recordings),
        "differences": len(wrong),
        "mb": round(backup.stat().st_size / 1e6, 1),
        "backup_s": round(backup_s, 1),
        "restore_s": round(restore_s, 1),
    }


def manage(data_dir: Path, *arguments: str) -> float:
    """Run a management command on the data of a folder, and return the seconds that it took."""
    environment = {**os.environ, "ASR_DATA_DIR": str(data_dir), "REDIS_URL": "", "DATABASE_URL": ""}
    environment["ASR_MODELS"] = str(MODELS)
    begun = time.monotonic()
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)
    return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--meetings", type=int, default=144)
    parser.add_argument("--running", type=int, default=4, help="of them, while the backup is written")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="asrsite-backup-") as folder:
        figures = asyncio.run(measure(Path(folder), meetings=arguments.meetings, running=arguments.running))
    results.write("backup", figures)
    print(json.dumps(figures))
    is_whole = not (figures["differences"] or figures["missing_sessions"] or figures["missing_recordings"])
    print("PASS" if is_whole else "FAIL")
    sys.exit(0 if is_whole else 1)


if __name__ == "__main__":
    main()
