"""Meetings come and go while the nemesis rages; each is checked to the last sample when it is over."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import soundfile

from deploy.cutting_proxy import CuttingProxy
from deploy.local_cluster import LocalCluster

from .audio import FRAME, SAMPLE_RATE, Recording
from .checks import (
    KeptLine,
    Verdict,
    check_audio,
    check_lines,
    check_transcript,
    missing_frames,
    percentile,
    recovery_s,
    unexplained,
)
from .clients import Follower, PlainReceiver, PlainSender, Receiver, Sender, resuming_sender
from .nemesis import ErrorCode, Nemesis

MODELS = Path(__file__).resolve().parents[1] / "checksum.toml"

Figures = dict[str, Any]

WEBS, WORKERS, RECEIVERS = 2, 3, 3

MEETING_S = (40.0, 100.0)

IN_FLIGHT_S = 6.0
"""Audio of a plain sender that a broken connection may cost: what the sockets of a frozen process hold."""

ENDED_SESSION = "SELECT id, durable FROM sessions_app_session WHERE key = %s AND state = 'ended'"
LINES = 'SELECT seq, start, "end", text FROM sessions_app_utterance WHERE session_id = %s ORDER BY seq'

TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?: .*\n|\n)*(\S.*)")

PATIENCE_S = 120.0
"""A meeting that is not over so long after its audio counts as lost."""


@dataclass(slots=True)
class Report:
    minutes: float
    seed: int
    verdict: Verdict = field(default_factory=Verdict)
    faults: list[ErrorCode] = field(default_factory=list)
    recoveries: list[tuple[str, float]] = field(default_factory=list)
    """(kind of fault, seconds)"""

    meetings: int = 0
    lines: int = 0
    samples: int = 0
    reconnections: int = 0
    plain_lost_s: list[float] = field(default_factory=list)
    """Of each broken connection of a plain sender."""

    unfinished: int = 0
    tracebacks: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """Processes that did not come back in time after a fault."""

    @property
    def is_clean(self) -> bool:
        return self.verdict.is_clean and not self.unfinished

    @property
    def figures(self) -> Figures:
        seconds = [length for _, length in self.recoveries]
        return {
            "minutes": self.minutes,
            "seed": self.seed,
            "faults": len(self.faults),
            "faults_by_kind": dict(sorted(Counter(fault.kind for fault in self.faults).items())),
            "meetings": self.meetings,
            "unfinished_meetings": self.unfinished,
            "audio_s": round(self.samples / SAMPLE_RATE),
            "lines": self.lines,
            "reconnections": self.reconnections,
            "lost_samples": self.verdict.lost_samples,
            "lost_lines": self.verdict.lost_lines,
            "doubled_lines": self.verdict.doubled_lines,
            "wrong_lines": self.verdict.wrong_lines,
            "silences": len(seconds),
            "recovery_p50_s": round(percentile(seconds, 0.5), 2),
            "recovery_p95_s": round(percentile(seconds, 0.95), 2),
            "recovery_max_s": round(max(seconds, default=0.0), 2),
            "recovery_p50_s_by_kind": self._by_kind(0.5),
            "recovery_p95_s_by_kind": self._by_kind(0.95),
            "plain_sender_breaks": len(self.plain_lost_s),
            "plain_sender_lost_p50_s": round(percentile(self.plain_lost_s, 0.5), 2),
            "plain_sender_lost_max_s": round(max(self.plain_lost_s, default=0.0), 2),
            "slow_returns": len(self.troubles),
            "tracebacks": len(self.tracebacks),
        }

    @property
    def summary(self) -> str:
        said = {name: value for name, value in self.figures.items() if not isinstance(value, dict)}
        lines = [f"{'clean' if self.is_clean else 'NOT CLEAN'}: {said}", *self.verdict.notes[:40]]
        return "\n".join([*lines, *self.troubles[:10], *self.tracebacks[:10]])

    def _by_kind(self, share: float) -> dict[str, float]:
        kinds = sorted({kind for kind, _ in self.recoveries})
        return {
            kind: round(percentile([s for k, s in self.recoveries if k == kind], share), 2) for kind in kinds
        }


@dataclass(slots=True)
class Meeting:
    """One session with its clients."""

    key: str
    recording: Recording
    sender: Sender
    receivers: list[Receiver]
    pk: int = 0


class Chaos:
    """One run."""

    def __init__(self, cluster: LocalCluster, proxies: Sequence[CuttingProxy], report: Report) -> None:
        self._cluster = cluster
        self._proxies = proxies
        self._report = report
        self._rng = random.Random(report.seed)
        self._numbers = iter(range(10**6))
        self._ends_at = time.monotonic() + 60 * report.minutes
        self._followers: list[tuple[Meeting, Follower]] = []

    async def run(self, senders: int) -> None:
        nemesis = Nemesis(self._cluster, random.Random(self._report.seed + 1), cut=self._cut)
        raging = asyncio.create_task(nemesis.rage())
        await asyncio.gather(*(self._hold_meetings(is_plain=number % 4 == 3) for number in range(senders)))
        raging.cancel()
        await asyncio.gather(raging, return_exceptions=True)
        self._report.faults = nemesis.faults
        self._report.troubles = nemesis.troubles
        self._measure_recovery()

    def _cut(self) -> int:
        return self._rng.choice(self._proxies).cut(self._rng.randint(1, 5))

    # Meetings.

    async def _hold_meetings(self, *, is_plain: bool) -> None:
        await asyncio.sleep(self._rng.uniform(0, 2))
        while time.monotonic() < self._ends_at:
            meeting = self._plan(is_plain=is_plain)
            try:
                async with asyncio.timeout(meeting.recording.samples / SAMPLE_RATE + PATIENCE_S):
                    await self._hold(meeting)
            except TimeoutError:
                self._report.unfinished += 1
                self._report.verdict.notes.append(f"{meeting.key} did not end")
                continue
            await self._check(meeting)

    def _plan(self, *, is_plain: bool) -> Meeting:
        number = next(self._numbers)
        key = f"chaos-{self._report.seed}-{number}"
        length_s = min(self._rng.uniform(*MEETING_S), max(20.0, self._ends_at - time.monotonic()))
        frames = int(length_s * SAMPLE_RATE / FRAME)
        recording = Recording(number, frames, has_pauses=not is_plain and number % 2 == 1)
        servers = [f"ws://127.0.0.1:{proxy.port}" for proxy in self._proxies]
        self._rng.shuffle(servers)
        sender: Sender = (
            PlainSender(servers, key, recording) if is_plain else resuming_sender(servers, key, recording)
        )
        receivers: list[Receiver] = [PlainReceiver(servers, key)]
        receivers += [Follower.of(servers[at % 2 :] + servers[: at % 2], key) for at in range(RECEIVERS - 1)]
        return Meeting(key, recording, sender, receivers)

    async def _hold(self, meeting: Meeting) -> None:
        late_s = 0.5 * meeting.recording.samples / SAMPLE_RATE
        receiving = [
            asyncio.create_task(_after(self._rng.choice([0.0, self._rng.uniform(0, late_s)]), receiver))
            for receiver in meeting.receivers
        ]
        try:
            await meeting.sender.run()
            await asyncio.gather(*receiving)
        finally:
            for task in receiving:
                task.cancel()
            await asyncio.gather(*receiving, return_exceptions=True)

    # Checks.

    async def _check(self, meeting: Meeting) -> None:
        report, recording = self._report, meeting.recording
        meeting.pk, durable, lines = await asyncio.to_thread(self._read_database, meeting.key)
        kept = await asyncio.to_thread(self._read_recording, meeting.pk)
        verdict = Verdict()
        audio = recording.whole()
        if isinstance(meeting.sender, PlainSender):
            verdict.add(self._check_plain(meeting.sender, kept, recording))
            audio = (kept / np.float32(32768)).astype(np.float32)
        else:
            verdict.add(check_audio(kept, durable, recording))
            report.reconnections += meeting.sender.connection.attempts - 1
        verdict.add(check_lines(lines, audio, is_all_speech=not recording.has_pauses))
        for receiver in meeting.receivers:
            verdict.add(check_transcript(receiver.transcript, lines, faults=receiver.faults))
            if isinstance(receiver, Follower):
                report.reconnections += receiver.client.connection.attempts - 1
                self._followers.append((meeting, receiver))
        report.meetings += 1
        report.lines += len(lines)
        report.samples += recording.samples
        verdict.notes = [f"{meeting.key} ({meeting.pk}): {note}" for note in verdict.notes]
        report.verdict.add(verdict)

    def _check_plain(self, sender: PlainSender, kept: np.ndarray, recording: Recording) -> Verdict:
        missing = missing_frames(kept, recording)
        if missing is None:
            return Verdict(lost_samples=recording.samples, notes=["a plain sender's recording is damaged"])
        in_flight = int(IN_FLIGHT_S * SAMPLE_RATE / FRAME)
        lost = unexplained(missing, sender.breaks, in_flight=in_flight)
        for at in sender.breaks:
            frames = sum(at - in_flight <= number <= at for number in missing)
            self._report.plain_lost_s.append(frames * FRAME / SAMPLE_RATE)
        notes = [f"frames {lost} lost though no connection broke there: {sender.breaks}"] if lost else []
        return Verdict(lost_samples=len(lost) * FRAME, notes=notes)

    def _read_database(self, key: str) -> tuple[int, int, list[KeptLine]]:
        deadline = time.monotonic() + 30
        while True:
            try:
                with psycopg.connect(self._cluster.postgres.url, connect_timeout=10) as connection:
                    found = connection.execute(ENDED_SESSION, [key]).fetchone()
                    assert found, f"{key} has not ended in the database"
                    rows = connection.execute(LINES, [found[0]]).fetchall()
                    return found[0], found[1], [KeptLine(*row) for row in rows]
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _read_recording(self, pk: int) -> np.ndarray:
        """int16; the journal, where no worker lived to make a FLAC of it."""
        folder = self._cluster.data_dir / "media" / "recordings"
        for _ in range(50):
            if (folder / f"{pk}.flac").exists():
                return np.asarray(soundfile.read(folder / f"{pk}.flac", dtype="int16")[0])
            time.sleep(0.1)
        return np.fromfile(folder / f"{pk}.pcm", "<i2")

    def _measure_recovery(self) -> None:
        for fault in self._report.faults:
            for meeting, follower in self._followers:
                if meeting.recording.has_pauses:
                    continue
                if fault.sessions is not None and meeting.pk not in fault.sessions:
                    continue
                silence = recovery_s(follower.heard_at, began_at=fault.began_at, over_at=fault.over_at)
                if silence is not None:
                    self._report.recoveries.append((fault.kind, silence))


async def run_chaos(minutes: float, *, seed: int, senders: int, keep: str | None = None) -> Report:
    """Break a whole installation for so long, and check everything."""
    report = Report(minutes, seed)
    async with AsyncExitStack() as stack:
        cluster = LocalCluster(webs=WEBS, workers=WORKERS, models=str(MODELS))
        await asyncio.to_thread(stack.enter_context, cluster)
        proxies = [await stack.enter_async_context(CuttingProxy(web.port)) for web in cluster.webs]
        await Chaos(cluster, proxies, report).run(senders)
        for process in cluster.processes:
            report.tracebacks += _tracebacks(process.log)
        if keep:
            _keep_logs(cluster, Path(keep))
    return report


async def _after(seconds: float, receiver: Receiver) -> None:
    await asyncio.sleep(seconds)
    await receiver.run()


def _tracebacks(log: Path) -> list[str]:
    """The last line of each."""
    found = TRACEBACK.findall(log.read_text(errors="replace"))
    return [f"{log.stem}: {line[:200]}" for line in found]


def _keep_logs(cluster: LocalCluster, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for process in cluster.processes:
        shutil.copy(process.log, folder)
