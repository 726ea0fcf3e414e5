"""8-bit products of our own against oneDNN's: the CPU time of the networks, and of streams, with either.

    python -m benchmarks.products [--models FOLDER] [--assets FOLDER] [--rounds 20] [--streams 1 4 8 12 28 40]
    python -m benchmarks.products --simulate 12 28 40 [--speed 3]

Both are computed in turns within one process, in CPU time of the thread, for machines are shared: what counts
is the median of the ratios within a round. Which instructions oneDNN takes is said before a process starts:
one has all of them, another does without AMX, and stands for the CPUs that have none.

Simulated streams are those of `benchmarks.streams`, on a core that may be several times as fast as this one;
each batch that they make is computed with both, and oneDNN's time moves the clock.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import numpy as np
import torch

from recognition.audio import SAMPLE_RATE
from recognition.int8 import matmul_vnni, products
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models

from .simulation import Simulation
from .streams import WARM_UP_S, full_size_set, recording

Loaded = TypeVar("Loaded")

OURS, ONEDNN = ARMS = ("ours", "oneDNN")

ISA = "ONEDNN_MAX_CPU_ISA"
INSTRUCTIONS = {"oneDNN without AMX": "AVX512_CORE_VNNI", "oneDNN, all instructions": "ALL"}
"""By the column, and what stands in `ISA`."""

UTTERANCES_S = (2, 5, 10)

Steps = dict[str, dict[str, Callable[[], Any]]]
"""By the step and the arm."""

Spent = dict[str, dict[str, list[float]]]
"""Milliseconds of CPU time in each round."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--assets", type=Path, default=os.environ.get("ASR_ASSETS"))
    parser.add_argument("--models", type=Path, default=Path("var/full-size"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--streams", type=int, nargs="*", default=[1, 4, 8, 12, 28, 40])
    parser.add_argument("--simulate", type=int, nargs="*", help="numbers of streams")
    parser.add_argument("--seconds", type=float, default=60, help="of the simulated clock, per load")
    parser.add_argument("--speed", type=float, default=1, help="how many times as fast the simulated core is")
    parser.add_argument("--raw", action="store_true", help="measure in this process, and print JSON")
    options = parser.parse_args()
    if not matmul_vnni.is_supported():
        parser.error("this CPU has no AVX512-VNNI: there are no products of our own")
    if not options.raw and options.simulate is None:
        _print_table({name: _measured_with(isa) for name, isa in INSTRUCTIONS.items()})
        return
    torch.set_num_threads(1)
    model_set = full_size_set(options.models.resolve(), options.assets)
    audio = recording(options.assets)
    arms = {
        arm: _with_products(arm, lambda: load_models(model_set, options.models, device="cpu")) for arm in ARMS
    }
    for streams in options.simulate or ():
        _simulate(arms, model_set.endpointing, audio, streams, options.speed, options.seconds)
    if options.raw:
        print(json.dumps(_in_turns(_steps(arms, audio, options.streams), options.rounds)))


def _measured_with(isa: str) -> Spent:
    """Measure in a process of its own, in which oneDNN may take these instructions."""
    command = [sys.executable, "-m", "benchmarks.products", *sys.argv[1:], "--raw"]
    done = subprocess.run(
        command, env={**os.environ, ISA: isa}, stdout=subprocess.PIPE, text=True, check=True
    )
    spent: Spent = json.loads(done.stdout.splitlines()[-1])
    return spent


def _print_table(measured: dict[str, Spent]) -> None:
    """Print medians of both, and the median of what they are to each other within a round."""
    print("| CPU time of a step |" + "".join(f" ours | {name} | ratio |" for name in measured))
    print("| --- |" + " --: | --: | --: |" * len(measured))
    for step in next(iter(measured.values())):
        row = f"| {step} |"
        for spent in measured.values():
            ours, theirs = spent[step][OURS], spent[step][ONEDNN]
            ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
            row += (
                f" {statistics.median(ours):.0f} ms | {statistics.median(theirs):.0f} ms | **{ratio:.2f}** |"
            )
        print(row)


def _with_products(arm: str, load: Callable[[], Loaded]) -> Loaded:
    """Load models with products of this kind, whatever the processor would have by itself."""

    def takes_vnni(inputs: int, *, many_rows: bool = False) -> bool:
        return arm == OURS and inputs % matmul_vnni.INPUTS == 0

    with mock.patch.object(products, "takes_vnni", takes_vnni):
        return load()


def _steps(arms: dict[str, Models], audio: np.ndarray, streams: Sequence[int]) -> Steps:
    pieces = {seconds: audio[5 * SAMPLE_RATE : (5 + seconds) * SAMPLE_RATE] for seconds in UTTERANCES_S}
    voice = [(pieces[5], [(0, len(pieces[5]))])]
    text = [[chr(0x4E00 + 7 * n) for n in range(22)]]  # what five seconds of speech hold
    steps: Steps = defaultdict(dict)
    for arm, models in arms.items():
        for count in streams:
            steps[f"first pass, {count} streams"][arm] = _first_pass(models.streaming, audio, count)
        for seconds, piece in pieces.items():
            steps[f"second pass, {seconds} s"][arm] = partial(models.offline.recognize, [piece])
        assert models.punctuator and models.embedder
        steps["punctuation, 22 characters"][arm] = partial(models.punctuator.punctuate, text)
        steps["embedding, 5 s"][arm] = partial(models.embedder.embed, voice)
    return steps


def _first_pass(recognizer: Any, audio: np.ndarray, count: int) -> Callable[[], None]:
    """Return a step of so many streams, each further on in the recording with every call."""
    states = [recognizer.new_state() for _ in range(count)]
    at = [n * len(audio) // count for n in range(count)]

    def step() -> None:
        batch = []
        for n, state in enumerate(states):
            if at[n] + recognizer.chunk > len(audio):
                at[n] = 0
            batch.append((state, audio[at[n] : at[n] + recognizer.chunk]))
            at[n] += recognizer.chunk
        recognizer.decode(batch)

    return step


def _in_turns(steps: Steps, rounds: int) -> Spent:
    """Run all steps one after the other, with both arms each, so many times."""
    spent: Spent = {name: {arm: [] for arm in ARMS} for name in steps}
    for number in range(-2, rounds):
        for name, runs in steps.items():
            for arm in ARMS if number % 2 else ARMS[::-1]:
                started = time.thread_time()
                runs[arm]()
                if number >= 0:
                    spent[name][arm].append(1e3 * (time.thread_time() - started))
    return spent


class _Both:
    """A model of each arm: every call goes to both, and what the second of them says counts."""

    def __init__(self, stage: str, arms: dict[str, Any], spent: dict[str, defaultdict[str, float]]) -> None:
        self._stage, self._arms, self._spent = stage, arms, spent
        self._calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._arms[ONEDNN], name)

    def new_state(self, context: Any = None) -> Any:
        return {arm: model.new_state() for arm, model in self._arms.items()}

    def release(self, state: Any) -> None:
        for arm, model in self._arms.items():
            model.release(state[arm])

    def call(self, name: str, batch: Sequence[Any], *, has_states: bool) -> Any:
        self._calls += 1
        results = {}
        for arm in ARMS if self._calls % 2 else ARMS[::-1]:
            own = [(state[arm], samples) for state, samples in batch] if has_states else batch
            started = time.thread_time()
            results[arm] = getattr(self._arms[arm], name)(own)
            self._spent[arm][self._stage] += time.thread_time() - started
        return results[ONEDNN]

    def detect(self, batch: Any) -> Any:
        return self.call("detect", batch, has_states=True)

    def decode(self, batch: Any) -> Any:
        return self.call("decode", batch, has_states=True)

    def recognize(self, batch: Any, contexts: Any = ()) -> Any:
        return self.call("recognize", batch, has_states=False)

    def punctuate(self, batch: Any) -> Any:
        return self.call("punctuate", batch, has_states=False)

    def embed(self, batch: Any) -> Any:
        return self.call("embed", batch, has_states=False)


def _simulate(
    arms: dict[str, Models], endpointing: Any, audio: np.ndarray, streams: int, speed: float, seconds: float
) -> None:
    spent: dict[str, defaultdict[str, float]] = {arm: defaultdict(float) for arm in ARMS}
    both: dict[str, Any] = {
        role: _Both(role, {arm: getattr(models, role) for arm, models in arms.items()}, spent)
        for role in ("vad", "streaming", "offline", "punctuator", "embedder")
    }
    models = dataclasses.replace(arms[ONEDNN], **both)
    simulation = Simulation(
        models, endpointing, [audio], streams=streams, clock=lambda: sum(spent[ONEDNN].values()) / speed
    )
    with closing(simulation):
        simulation.run(warm_up_s=WARM_UP_S, measure_s=0)
        before = {arm: dict(of_arm) for arm, of_arm in spent.items()}
        report = simulation.run(warm_up_s=0, measure_s=seconds)
    costs = {
        arm: {role: 1e3 * (spent[arm][role] - before[arm].get(role, 0)) / report.audio_s for role in both}
        for arm in ARMS
    }
    sizes = {name.lower(): round(float(np.mean(batches)), 1) for name, batches in report.batch_sizes.items()}
    print(
        f"{streams} streams on a core {speed} times as fast, {report.utilisation:.0%} busy, backlog "
        f"{report.backlog_s:.1f} s, {report.dropped_partials} of {len(report.final_s)} lines without "
        f"partials, batches {sizes}"
    )
    for role in both:
        _print_costs(role, *(costs[arm][role] for arm in ARMS))
    _print_costs("together", *(sum(costs[arm].values()) for arm in ARMS))


def _print_costs(name: str, ours: float, theirs: float) -> None:
    """Print CPU milliseconds per second of audio."""
    ratio = f"oneDNN / ours {theirs / ours:.2f}"
    print(f"    {name:<12} ours {ours:6.1f} ms/s, oneDNN {theirs:6.1f} ms/s, {ratio}", flush=True)


if __name__ == "__main__":
    main()
