"""How many streams a core holds, and how late their lines come, at full size.

    python -m benchmarks.streams [--assets FOLDER] [--models FOLDER] [--peer CHECKOUT_OF_FUNASR]
    python -m benchmarks.streams --device cuda [--limit SECONDS]

Models are full-size directories with random weights (`full_size_models`; made when missing); the VAD is
FunASR's real one if `--assets` has it. Streams are simulated on a clock that only computing moves
(`simulation`), and what is compared with is measured in the same run: FunASR's own `AutoModel.generate`, once
per session as its server calls it, and the rate of bare 8-bit products, which no arrangement can beat.
With `--peer` FunASR's own server is measured as well, at real time (`peer`).

On a GPU the wall clock moves the simulated one, and nothing is measured beside the streams but what takes the
time. Its figures have a file of their own, `streams-cuda.json`; `make gpu` has them within eight minutes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from recognition.audio import SAMPLE_RATE
from recognition.int8 import matmul_vnni, products
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, read_model_set

from . import peer, results
from .full_size_models import WRITERS
from .simulation import Report, Simulation

GFLOP_PER_SECOND_OF_SPEECH = 14.7
"""Both passes: the first computes each frame 1.5 times, for it looks ahead."""

WARM_UP_S = 8.0

PROFILED_S, KERNELS = 3.0, 20
"""So long a profile is taken of the most streams in time, and so many kernels are told."""

MAX_BACKLOG_S = 1.0
"""Audio of a stream that may wait for speech detection at the end of the measurement."""

MAX_FINAL_P95_S = 1.0
"""What the streams of a GPU are counted by besides."""

MAX_GIVEN_UP = 0.02
"""Share of lines that may go without partials."""

LOADS = (4, 5, 6, 8, 10, 12, 15, 18, 22, 28, 34, 42, 52)
"""Streams to try on a core, each a quarter more than the one before: one is near any share that is wanted."""

MAX_OVERLOADED = 2
"""Loads in a row that a core does not hold; those after them are not tried."""

MAX_OFF = 0.15
"""So far a load may be from the one that is wanted, as a share of what the core holds."""

_SET = """
title = "Full size, random weights"
[endpointing]
threshold = 0.8
[vad]
title = "fsmn-vad"
path = "{vad}"
licence = "-"
[streaming]
title = "paraformer-zh-streaming"
path = "{models}/paraformer-zh-streaming"
licence = "-"
[offline]
title = "paraformer-zh"
path = "{models}/paraformer-zh"
licence = "-"
[punctuation]
title = "ct-punc"
path = "{models}/ct-punc"
licence = "-"
[speaker]
title = "cam++"
path = "{models}/cam++"
licence = "-"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--assets", type=Path, default=os.environ.get("ASR_ASSETS"))
    parser.add_argument("--models", type=Path, default=Path("var/full-size"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--streams", type=int, nargs="*", help="loads to try")
    parser.add_argument("--seconds", type=float, help="of the simulated clock, per load")
    parser.add_argument("--peer", type=Path, help="a checkout of FunASR, whose server is measured as well")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for all loads on a GPU")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.device == "cuda":
        measure_gpu(
            options.models,
            options.assets,
            streams=options.streams or [50, 100, 200, 400, 600, 800, 1000],
            seconds=options.seconds or 12,
            limit_s=options.limit,
        )
    else:
        measure_core(
            options.models,
            options.assets,
            streams=sorted(options.streams or LOADS),
            seconds=options.seconds or 60,
            checkout=options.peer,
        )


def measure_core(
    models_dir: Path,
    assets: Path | None,
    *,
    streams: Sequence[int],
    seconds: float,
    checkout: Path | None = None,
) -> None:
    """Streams on one core of a CPU, against FunASR itself (its server too if there is a checkout) and bare
    products.
    """
    model_set = full_size_set(models_dir.resolve(), assets)
    recordings = [recording(assets)]
    before = _resident_mb()
    models = load_models(model_set, models_dir, device="cpu")
    loaded = _resident_mb()
    ceilings = [int8_ceiling()]
    reports, resident_mb = [], [loaded]
    for count in streams:
        with closing(Simulation(models, model_set.endpointing, recordings, streams=count)) as simulation:
            report = simulation.run(warm_up_s=WARM_UP_S, measure_s=seconds)
        reports.append(report)
        resident_mb.append(_resident_mb())
        ceilings.append(int8_ceiling())
        print(_line(report), flush=True)
        if len(reports) >= MAX_OVERLOADED and not any(map(_keeps_up, reports[-MAX_OVERLOADED:])):
            break
    at_70, most = _at_load(reports, 0.7), _at_load(reports, 1.0)
    baseline = funasr_cost(models_dir, assets, recordings[0])
    figures: dict[str, Any] = {
        "streams_per_core": _streams_per_core(reports),
        "baseline_streams_per_core": round(1 / sum(baseline.values()), 1),
        **_at_70(at_70),
        "int8_ceiling_streams_per_core": round(statistics.median(ceilings), 1),
        "cpu_ms_per_s_by_stage": by_stage(most) if most else None,
        "baseline_cpu_ms_per_s_by_stage": {name: round(1e3 * cost, 1) for name, cost in baseline.items()},
        "models_mb": round(loaded - before),
        "mb_per_stream": round(_slope([0, *(report.streams for report in reports)], resident_mb), 1),
        "loads": [_figures(report) for report in reports],
    }
    if checkout:
        figures["peer"] = peer.figures(
            peer.measure(checkout, directories(model_set, models_dir), recordings[0])
        )
    path = results.write("streams", figures)
    goal = "reached" if figures["streams_per_core"] >= 15 else "missed"
    print(
        f"streams: {figures['streams_per_core']} per core (goal 15 {goal}; FunASR itself "
        f"{figures['baseline_streams_per_core']}, bare products {figures['int8_ceiling_streams_per_core']}), "
        f"at 70 % of it p95 of finals {figures['final_p95_s_at_70']} s, p50 from the beginning of speech to "
        f"its first words {figures['first_partial_p50_s']} s -> {path}"
    )


def measure_gpu(
    models_dir: Path, assets: Path | None, *, streams: Sequence[int], seconds: float, limit_s: float
) -> None:
    """Streams on one CUDA device, fed by one thread; stops at the first load that it does not hold."""
    model_set = full_size_set(models_dir.resolve(), assets)
    recordings = [recording(assets)]
    models = load_models(model_set, models_dir, device="cuda")
    loaded = torch.cuda.memory_allocated()
    # At other batch sizes than before, kernels are chosen and memory is taken: let that happen first.
    with closing(_on_gpu(models, model_set, recordings, streams=streams[0])) as simulation:
        simulation.run(warm_up_s=0, measure_s=WARM_UP_S)
    started = time.perf_counter()
    reports: list[Report] = []
    for count in streams:
        # A load takes as long as its clock runs, or less.
        if reports and time.perf_counter() - started + WARM_UP_S + seconds > limit_s:
            print(f"{count} streams and more were not tried: the time is over", flush=True)
            break
        with closing(_on_gpu(models, model_set, recordings, streams=count)) as simulation:
            report = simulation.run(warm_up_s=WARM_UP_S, measure_s=seconds)
        reports.append(report)
        print(_line(report), by_stage(report), flush=True)
        if not _is_in_time(report):
            break
    most = max((report.streams for report in reports if _is_in_time(report)), default=0)
    with closing(_on_gpu(models, model_set, recordings, streams=most or streams[0])) as simulation:
        dearest = profile(partial(simulation.run, warm_up_s=0, measure_s=PROFILED_S))
    figures = {
        "device": torch.cuda.get_device_name(),
        "streams": most,
        "most_streams_tried": reports[-1].streams,
        "wall_ms_per_s_by_stage": by_stage(reports[-1]),
        "models_mb": round(loaded / 1e6),
        "mb_at_most": round(torch.cuda.max_memory_allocated() / 1e6),
        "share_of_time_by_kernel": dearest,
        "loads": [_figures(report) for report in reports],
    }
    path = results.write("streams-cuda", figures)
    print(f"streams: {figures['streams']} on {figures['device']}, p95 of finals at most 1 s -> {path}")


def _on_gpu(models: Models, model_set: ModelSet, recordings: list[np.ndarray], *, streams: int) -> Simulation:
    return Simulation(models, model_set.endpointing, recordings, streams=streams, clock=_synchronised)


def profile(run: Callable[[], object]) -> dict[str, float]:
    """Return what takes the most of the time of what runs, as shares: kernels of the GPU if there is one."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities) as profiled:
        run()
    spent = {
        event.key: event.self_device_time_total if has_gpu else event.self_cpu_time_total
        for event in profiled.key_averages()
    }
    total = sum(spent.values()) or 1
    dearest = sorted(spent, key=lambda name: -spent[name])[:KERNELS]
    return {name: round(spent[name] / total, 3) for name in dearest}


def _synchronised() -> float:
    """Wall clock, in seconds, when all that was asked of the GPU is done."""
    torch.cuda.synchronize()
    return time.perf_counter()


def full_size_set(models: Path, assets: Path | None) -> ModelSet:
    """The model set of full-size directories, made where they are missing."""
    vad = models / "fsmn-vad"
    if assets and (assets / "weights").is_dir():
        vad = next((assets / "weights").glob("*fsmn_vad*"), vad)
    for name in ("paraformer-zh-streaming", "paraformer-zh", "ct-punc", "cam++", "fsmn-vad"):
        if not (models / name / "model.pt").is_file():
            WRITERS[name](models / name)
    file = models / "full-size.toml"
    file.write_text(_SET.format(models=models, vad=vad), encoding="utf-8")
    return read_model_set(str(file))


def directories(model_set: ModelSet, models: Path) -> dict[str, Path]:
    """Of the models, by role."""
    found = {role: source.directory(models.resolve()) for role, source in model_set.sources.items()}
    return {role: directory for role, directory in found.items() if directory}


def recording(assets: Path | None) -> np.ndarray:
    """Speech to play: 70 s of Mandarin from the assets, else the sample meeting."""
    path = assets / "speech" / "zh_asr" / "vad_example.flac" if assets else None
    return _read(path) if path and path.is_file() else sample_meeting()


def sample_meeting() -> np.ndarray:
    """Three synthetic voices, two minutes."""
    return _read(Path("sessions_app/sample/meeting.flac"))


def _read(path: Path) -> np.ndarray:
    audio, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE, path
    return np.asarray(audio[: len(audio) // 1600 * 1600])


def int8_ceiling() -> float:
    """Streams per core if there were nothing but matrix products (the faster ones), as fast as just now."""
    speeds = [_gflop_per_s(products.OneDnn)]
    if matmul_vnni.is_supported():
        speeds.append(_gflop_per_s(products.Vnni))
    return max(speeds) / GFLOP_PER_SECOND_OF_SPEECH


def _gflop_per_s(multiplier: type[products.OneDnn] | type[products.Vnni], rows: int = 240) -> float:
    """Of products with the weights of feed-forward layers, one after the other."""
    rng = np.random.default_rng(0)
    multiplied = []
    for inputs, outputs in 12 * [(512, 2048), (2048, 512)]:
        weight = torch.randint(-127, 127, (outputs, inputs), dtype=torch.int8)
        product = multiplier(weight, torch.ones(outputs), torch.float32)
        multiplied.append((product, products.Rows.of(rng.random((rows, inputs), np.float32))))

    def multiply() -> None:
        for product, x in multiplied:
            product(x)

    multiply()
    spent = min(_cpu_s(multiply) for _ in range(5))
    return len(multiplied) * 2 * rows * 512 * 2048 / 1e9 / spent


def funasr_cost(models: Path, assets: Path | None, audio: np.ndarray, seconds: int = 20) -> dict[str, float]:
    """CPU seconds per second of audio of each stage with `AutoModel.generate`, one session at a time."""
    import logging

    import funasr

    funasr.import_submodules("funasr")
    logging.disable(logging.WARNING)
    paths = directories(full_size_set(models.resolve(), assets), models)

    def auto_model(role: str) -> Any:
        path = paths[role]
        return funasr.AutoModel(
            model=str(path), disable_update=True, disable_pbar=True, disable_log=True, device="cpu", ncpu=1
        )

    audio = audio[: seconds * SAMPLE_RATE]
    utterance = 5 * SAMPLE_RATE
    pieces = [audio[at : at + utterance] for at in range(0, len(audio), utterance)]
    text = "".join(chr(0x4E00 + 7 * n) for n in range(22))  # what five seconds of speech hold

    def detect(model: Any) -> None:
        cache: dict[str, Any] = {}
        for at in range(0, len(audio), 3200):
            model.generate(input=audio[at : at + 3200], cache=cache, chunk_size=200, max_end_silence_time=800)

    def decode(model: Any) -> None:
        cache: dict[str, Any] = {}
        options = {"chunk_size": [0, 10, 5], "encoder_chunk_look_back": 4, "decoder_chunk_look_back": 1}
        for at in range(0, len(audio) - 9600, 9600):
            model.generate(input=audio[at : at + 9600], cache=cache, is_final=False, **options)

    def each_piece(model: Any) -> None:
        for piece in pieces:
            model.generate(input=piece)

    def punctuate(model: Any) -> None:
        for _ in pieces:
            model.generate(input=text)

    costs = {}
    stages = {
        "vad": ("DETECT", detect),
        "streaming": ("DECODE", decode),
        "offline": ("RECOGNIZE", each_piece),
        "punctuation": ("PUNCTUATE", punctuate),
        "speaker": ("EMBED", each_piece),
    }
    for role, (name, run) in stages.items():
        model = auto_model(role)
        run(model)
        costs[name] = _cpu_s(partial(run, model)) / (len(audio) / SAMPLE_RATE)
        del model
    logging.disable(logging.NOTSET)
    return costs


def _streams_per_core(reports: Sequence[Report]) -> int:
    """The most streams, of those tried, with which the core keeps up: all audio is heard as it comes, and of
    the lines hardly any goes without partials.
    """
    return max((report.streams for report in reports if _keeps_up(report)), default=0)


def _keeps_up(report: Report) -> bool:
    given_up = report.dropped_partials / max(1, len(report.final_s))
    return report.backlog_s < MAX_BACKLOG_S and given_up <= MAX_GIVEN_UP


def _is_in_time(report: Report) -> bool:
    return _keeps_up(report) and _percentile(report.final_s, 95) <= MAX_FINAL_P95_S


def _at_load(reports: Sequence[Report], share: float) -> Report | None:
    """The load nearest to this share of what the core holds; None if none near it was tried.

    One that the core does not hold is never it: what it gives up costs nothing, and looks cheap.
    """
    most = _streams_per_core(reports)
    near = [
        report
        for report in reports
        if _keeps_up(report) and abs(report.streams - share * most) <= MAX_OFF * most
    ]
    return min(near, key=lambda report: abs(report.streams - share * most), default=None)


def _at_70(report: Report | None) -> dict[str, Any]:
    """Figures at 70 % of what the core holds; None where that was not tried."""
    if report is None:
        names = ("final_p95_s_at_70", "first_partial_p50_s", "streams_at_70", "speech_share")
        return dict.fromkeys((*names, "cpu_ms_per_s_by_stage_at_70"))
    return {
        "final_p95_s_at_70": round(_percentile(report.final_s, 95), 2),
        "first_partial_p50_s": round(_percentile(report.first_partial_s, 50), 2),
        "streams_at_70": report.streams,
        "speech_share": round(report.speech_s / report.audio_s, 2),
        "cpu_ms_per_s_by_stage_at_70": by_stage(report),
    }


def by_stage(report: Report) -> dict[str, float]:
    """CPU milliseconds per second of audio."""
    return {name: round(1e3 * spent / report.audio_s, 1) for name, spent in sorted(report.busy_s.items())}


def _figures(report: Report) -> dict[str, Any]:
    return {
        "streams": report.streams,
        "utilisation": round(report.utilisation, 2),
        "keeps_up": _keeps_up(report),
        "cpu_ms_per_s": round(1e3 * report.cost, 1),
        **{
            f"{name}_{part}_s": round(_percentile(values, percent), 3)
            for name, values in (
                ("first_partial", report.first_partial_s),
                ("partial", report.partial_s),
                ("final", report.final_s),
                ("final_after_speech", report.final_after_speech_s),
            )
            for part, percent in (("p50", 50), ("p95", 95), ("p99", 99))
        },
        "lines": len(report.final_s),
        "dropped_partials": report.dropped_partials,
        "backlog_s": round(report.backlog_s, 2),
        "batch_sizes": {name: round(statistics.mean(sizes), 1) for name, sizes in report.batch_sizes.items()},
    }


def _line(report: Report) -> str:
    return (
        f"{report.streams:>3} streams: {report.utilisation:4.0%} busy, {1e3 * report.cost:.0f} ms/s, "
        f"partials p50 {_percentile(report.partial_s, 50):.2f} p95 {_percentile(report.partial_s, 95):.2f}, "
        f"finals p50 {_percentile(report.final_s, 50):.2f} p95 {_percentile(report.final_s, 95):.2f} s, "
        f"{report.dropped_partials} of {len(report.final_s)} lines without partials"
    )


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else float("nan")


def _cpu_s(run: Callable[[], None]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def _slope(streams: Sequence[int], resident_mb: Sequence[float]) -> float:
    """MB for each stream more, from the first load on if there are several: it pays for warming up."""
    first = 1 if len(streams) > 2 else 0
    return (resident_mb[-1] - resident_mb[first]) / (streams[-1] - streams[first])


def _resident_mb() -> float:
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
