"""`manage.py loadtest`: drive a running service with real audio, and say how it coped."""

from __future__ import annotations

import asyncio
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recognition.audio import SAMPLE_RATE
from sessions_app.management.load_generator import Report, counted, drive
from sessions_app.sample.demo import SAMPLE

MAX_S = 86_400.0
"""A day of audio in each session."""


class Command(BaseCommand):
    help = "Stream a recording to a running service in N sessions at once, each with M receivers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        here = f"ws://{settings.HOST}:{settings.PORT}"
        parser.add_argument("--senders", type=int, default=4, metavar="N")
        parser.add_argument("--receivers", type=int, default=2, metavar="M", help="of each session")
        parser.add_argument("--seconds", type=float, default=60.0, help="length of each session")
        parser.add_argument("--server", action="append", help=f"{here} by default; several may be given")
        parser.add_argument("--token", default="")
        parser.add_argument(
            "--file", type=Path, default=SAMPLE / "meeting.flac", help="mono at 16 kHz; the sample meeting"
        )

    def handle(self, *args: Any, senders: int, receivers: int, **options: Any) -> None:
        if senders < 1 or receivers < 0 or not 0 < options["seconds"] <= MAX_S:
            raise CommandError(
                f"there must be a sender, no fewer than 0 receivers, and audio of up to {MAX_S:.0f} seconds"
            )
        audio = _read(options["file"])
        servers = options["server"] or [f"ws://{settings.HOST}:{settings.PORT}"]
        self.stdout.write(f"{senders} sessions with {receivers} receivers each, on {', '.join(servers)}")
        report = asyncio.run(
            drive(
                servers,
                audio,
                length_s=options["seconds"],
                senders=senders,
                receivers=receivers,
                prefix=f"load-{time.strftime('%Y%m%d-%H%M%S')}",
                token=options["token"],
            )
        )
        self._tell(report)

    def _tell(self, report: Report) -> None:
        self.stdout.write(
            f"{report.lines} lines; from the end of what was said to its line: "
            f"p50 {report.delay_s(0.5):.2f} s, p95 {report.delay_s(0.95):.2f} s, "
            f"p99 {report.delay_s(0.99):.2f} s"
        )
        if report.refused:
            self.stdout.write(f"not taken to the end: {counted(report.refused)}")
        if report.missing:
            raise CommandError(f"{report.missing} lines are missing at receivers")
        self.stdout.write(self.style.SUCCESS("no line is missing"))


def _read(file: Path) -> np.ndarray:
    """Read a recording, float32, shape (n,), n > 0."""
    try:
        audio, rate = soundfile.read(file, dtype="float32")
    except (OSError, soundfile.LibsndfileError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
    if rate != SAMPLE_RATE or audio.ndim != 1:
        raise CommandError(f"{file} must be mono at {SAMPLE_RATE} Hz, not {rate} Hz")
    if not len(audio):
        raise CommandError(f"{file} holds no audio")
    recording: np.ndarray = audio
    return recording
