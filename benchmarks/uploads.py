"""Lines of live meetings while files are recognised as well; how fast files are, and what they take.

    python -m benchmarks.uploads [PART ...] [--models SET] [--live N] [--uploads N ...]

`policy`: streams play the sample meeting at real time beside uploads that send as fast as they are let
(`simulation`), on one core. What is compared is measured in the same run: no uploads at all, and first come,
first served. The other parts send files to a server in a process of its own, with SQLite: `beside`, a meeting
in real time alone and beside eight files at once; `long`, two hours as one file; `many`, ten files.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from deploy.local_cluster import WebProcess
from recognition.audio import SAMPLE_RATE, seconds
from recognition.engine.runner import ModelRequest
from recognition.engine.scheduler import QueuedJob, Scheduler, limits_for
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, read_model_set

from . import latency, results
from .arguments import add_names
from .simulation import Report, Simulation
from .streams import sample_meeting
from .transport.processes import PeakMemory
from .transport.service import embedded_process

WARM_UP_S = 5.0
GOAL_LATER_S = 1.0
GOAL_P50_LATER_S = 0.2

PARTS = ("policy", "beside", "long", "many")

BESIDE = 8
"""Files at once, beside a meeting."""

LONG_S = 2 * 3600
MANY = 10
PIECE_BYTES = 8 * 2**20


class FirstCome(Scheduler[ModelRequest]):
    """The policy without a difference between sessions."""

    def add(self, job: QueuedJob[ModelRequest]) -> None:
        super().add(replace(job, yields=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_names(parser, "parts", PARTS)
    parser.add_argument("--models", default="embedded", metavar="SET", help="a model set's name or file")
    parser.add_argument("--live", type=int, default=5, metavar="N")
    parser.add_argument("--uploads", type=int, nargs="*", default=[1, 3, 8], metavar="N")
    parser.add_argument("--seconds", type=float, default=40.0, help="of the simulated clock, per load")
    options = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "policy": lambda: policy(options),
        "beside": lambda: beside(options.models),
        "long": lambda: long_file(options.models),
        "many": lambda: many_files(options.models),
    }
    figures = results.read("uploads") if set(options.parts) < set(PARTS) else {}
    for name in options.parts:
        found = parts[name]()
        print(found, flush=True)
        figures |= found
        path = results.write("uploads", figures)
    print(f"uploads: {verdict(figures)} -> {path}")


def verdict(figures: dict[str, Any]) -> str:
    """Return the figures of the goals in a line, as far as they are measured."""
    words = []
    if later_s := figures.get("final_p95_later_s"):
        words.append(f"lines {later_s} s later beside uploads, p95 (goal {GOAL_LATER_S:g})")
    if found := figures.get("meeting_beside_files"):
        words.append(f"a meeting's {found['final_p50_later_s']} s later, p50 (goal {GOAL_P50_LATER_S:g})")
    if found := figures.get("two_hours"):
        words.append(f"two hours at {found['times_real_time']} times real time")
    return "; ".join(words)


def policy(options: argparse.Namespace) -> dict[str, Any]:
    """Compare loads, and the policy with none, on the simulated clock."""
    torch.set_num_threads(1)
    model_set = read_model_set(options.models)
    models = load_models(model_set, Path("var/models"))

    def measure(uploads: int, policy: type[Scheduler[ModelRequest]] = Scheduler) -> dict[str, Any]:
        report = run(models, model_set, policy, live=options.live, uploads=uploads, seconds=options.seconds)
        found = measured(report)
        print(uploads, policy.__name__, found, flush=True)
        return found

    alone = measure(0)
    loads = {str(count): measure(count) for count in options.uploads}
    most = max(options.uploads)
    first_come = measure(most, FirstCome)
    return {
        "live": options.live,
        "alone": alone,
        "beside_uploads": loads,
        "first_come_first_served": first_come,
        "final_p95_later_s": round(loads[str(most)]["final_p95_s"] - alone["final_p95_s"], 3),
        "finals_ratio_to_first_come": round(loads[str(most)]["finals"] / max(1, first_come["finals"]), 1),
    }


def beside(models: str) -> dict[str, Any]:
    """Measure the lines of a meeting in real time: alone, beside files, and alone again."""
    audio = soundfile.read(latency.SAMPLE / "meeting.flac", dtype="float32")[0]

    def lines(session: str) -> dict[str, float]:
        return latency.finals(asyncio.run(latency.listen(server, session, audio)))

    with service(models, at_once=BESIDE) as server:
        lines("warm")
        alone = lines("alone")
        files = [send(server, flac_of(audio, LONG_S / 2)) for _ in range(BESIDE)]
        wait(server, files, lambda told: told["state"] == "running" and told["done_ms"] > 0)
        at, before = time.monotonic(), [look(server, file)["done_ms"] for file in files]
        busy = lines("beside")
        passed_s = time.monotonic() - at
        done = [look(server, file)["done_ms"] for file in files]
        states = {look(server, file)["state"] for file in files}
        for file in files:
            ask(server, "DELETE", file)
        again = lines("again")
    speed = [round((after - first) / 1000 / passed_s, 1) for first, after in zip(before, done, strict=True)]
    alone_p50_s = (alone["final_p50_s"] + again["final_p50_s"]) / 2
    return {
        "meeting_beside_files": {
            "files": BESIDE,
            "still_running": states == {"running"},
            "alone": alone,
            "beside": busy,
            "alone_again": again,
            "final_p50_later_s": round(busy["final_p50_s"] - alone_p50_s, 3),
            "file_speed": speed,
        }
    }


def long_file(models: str) -> dict[str, Any]:
    """Measure two hours as one file: how many times faster than real time, and the server's memory."""
    audio = sample_meeting()
    with service(models) as server:
        wait(server, [send(server, flac_of(audio, 60))], is_over)  # what is loaded at first use
        began = time.monotonic()
        file = send(server, flac_of(audio, LONG_S))
        sent_s = time.monotonic() - began

        async def watch() -> float:
            async with PeakMemory(server.pid) as memory:
                await asyncio.to_thread(wait, server, [file], is_over)
            return memory.growth_mib

        growth_mib = asyncio.run(watch())
        told = look(server, file)
        lasted_s = time.monotonic() - began
    return {
        "two_hours": {
            "state": told["state"],
            "sent_s": round(sent_s, 1),
            "lasted_s": round(lasted_s, 1),
            "times_real_time": round(told["duration_ms"] / 1000 / lasted_s, 1),
            "memory_growth_mib": round(growth_mib, 1),
        }
    }


def many_files(models: str) -> dict[str, Any]:
    """Measure ten files that are sent one right after the other."""
    audio = sample_meeting()
    with service(models) as server:
        wait(server, [send(server, flac_of(audio, 60))], is_over)
        began = time.monotonic()
        files = [send(server, flac_of(audio, seconds(len(audio)))) for _ in range(MANY)]
        wait(server, files, is_over)
        lasted_s = time.monotonic() - began
        told = [look(server, file) for file in files]
    length_s = sum(each["duration_ms"] for each in told) / 1000
    return {
        "ten_files": {
            "done": sum(each["state"] == "done" for each in told),
            "audio_s": round(length_s),
            "lasted_s": round(lasted_s, 1),
            "times_real_time": round(length_s / lasted_s, 1),
        }
    }


@contextmanager
def service(models: str, *, at_once: int = 2) -> Iterator[WebProcess]:
    """Run a server of one process in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="asrsite-bench-"))
    settings = {"LOG_LEVEL": "WARNING", "ASR_UPLOADS_AT_ONCE": str(at_once), "DEMO": "0"}
    try:
        with embedded_process(folder, models=models, **settings) as web:
            yield web
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def flac_of(audio: np.ndarray, length_s: float) -> bytes:
    """Return a recording that goes on for so long, as a file."""
    count = round(length_s * SAMPLE_RATE)
    written = io.BytesIO()
    soundfile.write(written, np.resize(audio, count), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return written.getvalue()


def send(server: WebProcess, data: bytes) -> str:
    """Send a file by tus, and return its address."""
    address: str = ask(server, "POST", "/api/uploads/", b"", {"Upload-Length": str(len(data))})
    for offset in range(0, len(data), PIECE_BYTES):
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        ask(server, "PATCH", address, data[offset : offset + PIECE_BYTES], headers)
    return address


def is_over(told: dict[str, Any]) -> bool:
    return told["state"] in ("done", "failed")


def wait(server: WebProcess, files: list[str], condition: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until this is so for all files."""
    while not all(condition(look(server, file)) for file in files):
        time.sleep(0.5)


def look(server: WebProcess, file: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(ask(server, "GET", file))
    return told


def ask(
    server: WebProcess,
    method: str,
    path: str,
    data: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Any:
    """Ask the server: the body of its answer, of a new file the address."""
    all_headers = {"Tus-Resumable": "1.0.0", **(headers or {})}
    request = urllib.request.Request(server.http + path, data, all_headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
        return answer.headers["Location"] if method == "POST" else answer.read()


def run(
    models: Models,
    model_set: ModelSet,
    policy: type[Scheduler[ModelRequest]],
    *,
    live: int,
    uploads: int,
    seconds: float,
) -> Report:
    simulation = Simulation(
        models,
        model_set.endpointing,
        [sample_meeting()],
        streams=live,
        uploads=uploads,
        scheduler=policy(limits_for(models)),
    )
    with closing(simulation):
        return simulation.run(warm_up_s=WARM_UP_S, measure_s=seconds)


def measured(report: Report) -> dict[str, Any]:
    return {
        "finals": len(report.final_s),
        "final_p50_s": _percentile(report.final_s, 50),
        "final_p95_s": _percentile(report.final_s, 95),
        "partial_p95_s": _percentile(report.partial_s, 95),
        "upload_speed": [round(audio_s / report.clock_s, 1) for audio_s in report.uploaded_s],
    }


def _percentile(values: list[float], share: float) -> float | None:
    """Return it; None where no line came at all."""
    return round(float(np.percentile(values, share)), 3) if values else None


if __name__ == "__main__":
    main()
