"""Meetings come and go while the nemesis rages; each is checked to the last sample when it is over."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from deploy.cutting_proxy import CuttingProxy
from sessions_app.recordings.files import to_float32
from sessions_app.transport.interface import REPLAY

from .audio import FRAME, SAMPLE_RATE, Recording
from .checks import (
    PLAIN_LOSS_S,
    SLACK,
    Course,
    Hush,
    Verdict,
    check_audio,
    check_lines,
    check_transcript,
    hushes_of,
    missing_frames,
    percentile,
    recoveries,
    unexplained,
    wrong_with,
)
from .clients import Follower, PlainReceiver, PlainSender, Receiver, Refused, Sender, resuming_sender
from .installation import (
    Installation,
    KeptSession,
    cluster,
    cluster_with_two_postgres,
    cluster_with_two_redis,
    keep_logs,
    one_process,
)
from .nemesis import Fault, Killer, Nemesis

Figures = dict[str, Any]

RECEIVERS = 3

MEETING_S = (40.0, 100.0)

NEAR_S = 10.0

HELD_S = REPLAY / SAMPLE_RATE
"""Audio that a log may hold which is not recognised yet."""

LONGEST_SHARE = 0.4
"""Of a run, that a fault may last."""

IN_FLIGHT = int(PLAIN_LOSS_S * SAMPLE_RATE / FRAME)
"""Frames of a plain sender that a broken connection may cost."""

TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?: .*\n|\n)*(\S.*)")

PATIENCE_S = 300.0
"""A meeting that is not over so long after its audio counts as lost."""


@dataclass(slots=True)
class Report:
    minutes: float
    seed: int
    verdict: Verdict = field(default_factory=Verdict)
    faults: list[Fault] = field(default_factory=list)
    recoveries: list[tuple[str, float]] = field(default_factory=list)
    """(kind of fault, seconds)"""

    meetings: int = 0
    lines: int = 0
    samples: int = 0
    reconnections: int = 0
    linked: int = 0
    """Meetings whose sender was away for so long that it went on in another session."""

    plain_lost_s: list[float] = field(default_factory=list)
    """Of each broken connection of a plain sender, but for what it sent in hushes."""

    plain_hushed_s: list[float] = field(default_factory=list)
    """Of each of those: what it sent in hushes, into nothing."""

    told: int = 0
    """Plain senders that were away for too long, and told so."""

    unfinished: int = 0
    tracebacks: list[str] = field(default_factory=list)
    never_back: list[str] = field(default_factory=list)
    nemesis_died: str = ""
    troubles: list[str] = field(default_factory=list)
    """Processes that did not come back in time after a fault."""

    @property
    def wrong(self) -> list[str]:
        course = Course(
            len(self.faults),
            self.meetings,
            self.lines,
            self.unfinished,
            self.never_back,
            self.tracebacks,
            self.nemesis_died,
            max(self.plain_lost_s, default=0.0),
        )
        return wrong_with(course, self.verdict)

    @property
    def is_clean(self) -> bool:
        return not self.wrong

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
            "meetings_in_two_sessions": self.linked,
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
            "plain_sender_hushed_max_s": round(max(self.plain_hushed_s, default=0.0), 2),
            "plain_senders_told": self.told,
            "slow_returns": len(self.troubles),
            "never_back": len(self.never_back),
            "tracebacks": len(self.tracebacks),
        }

    @property
    def summary(self) -> str:
        said = {name: value for name, value in self.figures.items() if not isinstance(value, dict)}
        lines = [f"{'; '.join(self.wrong) or 'clean'}: {said}", *self.verdict.notes[:40]]
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

    def __init__(
        self,
        installation: Installation,
        proxies: Sequence[CuttingProxy],
        report: Report,
        *,
        nemesis: Callable[..., Nemesis] = Nemesis,
    ) -> None:
        self._there = installation
        self._nemesis = nemesis
        self._proxies = proxies
        self._report = report
        self._rng = random.Random(report.seed)
        self._numbers = iter(range(10**6))
        self._ends_at = time.monotonic() + 60 * report.minutes
        self._followers: list[tuple[Meeting, Follower]] = []
        self._plain: list[tuple[Meeting, KeptSession, np.ndarray]] = []

    async def run(self, senders: int) -> None:
        report, rng = self._report, random.Random(self._report.seed + 1)
        nemesis = self._nemesis(
            self._there, self._proxies, rng, longest_s=LONGEST_SHARE * 60 * report.minutes
        )
        raging = asyncio.create_task(nemesis.rage())
        await asyncio.gather(*(self._hold_meetings(is_plain=number % 4 == 3) for number in range(senders)))
        report.nemesis_died = await _end_of(raging)
        await nemesis.rest()
        report.faults, report.troubles = nemesis.faults, nemesis.troubles
        for meeting, session, kept in self._plain:
            self._check_plain(meeting, session, kept)
        self._measure_recovery()

    # Meetings.

    async def _hold_meetings(self, *, is_plain: bool) -> None:
        await asyncio.sleep(self._rng.uniform(0, 2))
        while time.monotonic() < self._ends_at:
            meeting = self._plan(is_plain=is_plain)
            try:
                async with asyncio.timeout(meeting.recording.samples / SAMPLE_RATE + PATIENCE_S):
                    await self._hold(meeting)
            except (TimeoutError, Refused) as error:
                self._report.unfinished += 1
                self._report.verdict.notes.append(f"{meeting.key} did not end: {error}")
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
        report = self._report
        sessions = [meeting.key]
        if not isinstance(meeting.sender, PlainSender):
            sessions = meeting.sender.sessions
            report.reconnections += meeting.sender.connection.attempts - 1
        kept = [await asyncio.to_thread(self._there.read_session, key) for key in sessions]
        audio = [await asyncio.to_thread(self._there.take_recording, session.pk) for session in kept]
        meeting.pk = kept[0].pk
        if isinstance(meeting.sender, PlainSender):
            self._plain.append((meeting, kept[0], audio[0]))  # judged when all faults are known
        else:
            report.linked += len(kept) > 1
            if meeting.sender.lost:
                note = f"its sender had forgotten {meeting.sender.lost} samples that were asked for"
                self._note(meeting, Verdict(lost_samples=meeting.sender.lost, notes=[note]))
            self._note(meeting, check_recording(kept, audio, meeting.recording))
        for receiver in meeting.receivers:
            self._note(meeting, check_transcript(receiver.transcript, kept[0].lines, faults=receiver.faults))
            if isinstance(receiver, Follower):
                report.reconnections += receiver.client.connection.attempts - 1
                self._followers.append((meeting, receiver))
        report.meetings += 1
        report.lines += sum(len(session.lines) for session in kept)
        report.samples += meeting.recording.samples

    def _note(self, meeting: Meeting, verdict: Verdict) -> None:
        verdict.notes = [f"{meeting.key} ({meeting.pk}): {note}" for note in verdict.notes]
        self._report.verdict.add(verdict)

    def _check_plain(self, meeting: Meeting, session: KeptSession, kept: np.ndarray) -> None:
        sender, recording, report = meeting.sender, meeting.recording, self._report
        assert isinstance(sender, PlainSender)
        missing = missing_frames(kept, recording)
        if missing is None:
            self._note(meeting, Verdict(lost_samples=recording.samples, notes=["its recording is damaged"]))
            return
        if sender.was_told_at is not None:
            report.told += 1
            missing = [number for number in missing if number < sender.was_told_at]
        hushes = [Hush(fault.began_at, fault.over_at) for fault in report.faults if fault.is_hush]
        hushes += [
            Hush(fault.began_at - HELD_S, fault.over_at, needs_break=False)
            for fault in report.faults
            if fault.is_loss
        ]
        lost = unexplained(missing, sender.breaks, in_flight=IN_FLIGHT, sent_at=sender.sent_at, hushes=hushes)
        in_hushes = {number for number in missing if hushes_of(number, sender.sent_at, hushes)}
        for before, at in zip([0, *sender.breaks], sender.breaks, strict=False):
            frames = [number for number in missing if before <= number <= at]
            hushed = sum(number in in_hushes for number in frames)
            report.plain_lost_s.append((len(frames) - hushed) * FRAME / SAMPLE_RATE)
            report.plain_hushed_s.append(hushed * FRAME / SAMPLE_RATE)
        notes = []
        if lost:
            sent_at = [sender.sent_at[number] for number in lost if number < len(sender.sent_at)]
            near = self._kinds_near(min(sent_at, default=0.0), max(sent_at, default=0.0))
            notes = [f"{len(lost)} frames from {lost[0]} to {lost[-1]} lost; {sender.endings}; {near}"]
        self._note(meeting, Verdict(lost_samples=len(lost) * FRAME, notes=notes))
        self._note(meeting, check_lines(session.lines, to_float32(kept), speech=[(0, len(kept))]))

    def _kinds_near(self, start: float, end: float) -> str:
        """Say what failed about this time."""
        near = [
            fault
            for fault in self._report.faults
            if fault.began_at <= end + NEAR_S and fault.over_at >= start - NEAR_S
        ]
        return ", ".join(
            f"{fault.kind} at {fault.began_at - start:.1f} to {fault.over_at - start:.1f} s" for fault in near
        )

    def _measure_recovery(self) -> None:
        for meeting, follower in self._followers:
            if meeting.recording.has_pauses:
                continue
            faults = [
                fault
                for fault in self._report.faults
                if fault.sessions is None or meeting.pk in fault.sessions
            ]
            self._report.recoveries += recoveries(follower.heard_at, faults)


def check_recording(
    sessions: Sequence[KeptSession], audio: Sequence[np.ndarray], recording: Recording
) -> Verdict:
    """Whether a recording is whole in its sessions, one after the other, and all that is said has a line.

    Args:
        audio: The recordings of the sessions on disk, int16, each of shape (n,).
    """
    verdict = check_audio(np.concatenate(audio), sum(session.durable for session in sessions), recording)
    start = 0
    for session, kept in zip(sessions, audio, strict=True):
        end = start + len(kept)
        speech = [(max(a, start) - start, min(b, end) - start) for a, b in recording.stretches()]
        verdict.add(
            check_lines(
                session.lines,
                to_float32(kept),
                speech=[(a, b) for a, b in speech if a < b],
                slack=SLACK if recording.has_pauses else 0,
            )
        )
        start = end
    return verdict


async def run_chaos(
    minutes: float, *, seed: int, senders: int, keep: str | None = None, is_one_process: bool = False
) -> Report:
    """Break a whole installation for so long, and check everything."""
    kind = one_process if is_one_process else cluster
    return await _run(kind, Nemesis, minutes, seed=seed, senders=senders, keep=keep)


async def run_failovers(
    minutes: float, *, of: str, kills: int, seed: int, senders: int, keep: str | None = None
) -> Report:
    """Kill the master of Redis, or the primary of PostgreSQL, so many times, and check everything."""
    kind = {"redis": cluster_with_two_redis, "postgresql": cluster_with_two_postgres}[of]
    nemesis = partial(Killer, kills=kills, every_s=60 * minutes / (kills + 1))
    return await _run(kind, nemesis, minutes, seed=seed, senders=senders, keep=keep)


async def _run(
    kind: Callable[[], AbstractContextManager[Installation]],
    nemesis: Callable[..., Nemesis],
    minutes: float,
    *,
    seed: int,
    senders: int,
    keep: str | None,
) -> Report:
    report = Report(minutes, seed)
    async with AsyncExitStack() as stack:
        there = await asyncio.to_thread(stack.enter_context, kind())
        proxies = [await stack.enter_async_context(CuttingProxy(web.port)) for web in there.webs]
        await Chaos(there, proxies, report, nemesis=nemesis).run(senders)
        report.never_back = await asyncio.to_thread(there.never_back)
        for process in there.processes:
            report.tracebacks += tracebacks(process.name, process.log.read_text(errors="replace"))
        if keep:
            keep_logs(there, Path(keep))
    return report


async def _end_of(raging: asyncio.Task[None]) -> str:
    """Stop what breaks things; of what it died, if it did before."""
    if raging.done() and not raging.cancelled():
        return repr(raging.exception())
    raging.cancel()
    await asyncio.gather(raging, return_exceptions=True)
    return ""


async def _after(seconds: float, receiver: Receiver) -> None:
    await asyncio.sleep(seconds)
    await receiver.run()


def tracebacks(name: str, log: str) -> list[str]:
    """Return the last line of each traceback in the log of a process."""
    return [f"{name}: {line[:200]}" for line in TRACEBACK.findall(log)]
