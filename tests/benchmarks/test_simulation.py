"""Streams on a simulated clock."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks.simulation import Report, Simulation
from recognition.core.endpointing import EndpointingOptions
from recognition.fakes.scripted import Script, ScriptedLine, ScriptedOffline, scripted_models
from recognition.interfaces import Samples, SessionContext, Token

SCRIPT = Script([ScriptedLine("大家好。", seconds=2.0), ScriptedLine("好的。", seconds=0.8)])


class Slow(ScriptedOffline):
    """Moves a clock by what each batch takes."""

    def __init__(self, took_s: float) -> None:
        super().__init__(SCRIPT)
        self.seconds, self._took_s = 0.0, took_s

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        self.seconds += self._took_s
        return super().recognize(batch)


def report(*, apart: bool = False, took_s: float = 1.0) -> Report:
    slow = Slow(took_s)
    models = replace(scripted_models(SCRIPT), offline=slow, recognises_apart=apart)
    recordings = [SCRIPT.audio(pause_s=2.0)]
    simulation = Simulation(models, EndpointingOptions(), recordings, streams=3, clock=lambda: slow.seconds)
    with closing(simulation):
        return simulation.run(warm_up_s=5.0, measure_s=30.0)


def test_what_computes_moves_the_clock() -> None:
    made = report()
    assert made.audio_s == pytest.approx(90, abs=10)
    assert made.busy_s["RECOGNIZE"] == len(made.batch_sizes["RECOGNIZE"])
    assert made.utilisation <= 1.0
    assert min(made.final_s) == pytest.approx(1.0)


def test_recognisers_apart_compute_while_others_do() -> None:
    made = report(apart=True, took_s=8.0)
    assert made.backlog_s < 0.3
    assert made.busy_s["RECOGNIZE"] == 8.0 * len(made.batch_sizes["RECOGNIZE"])
    assert made.audio_s == pytest.approx(90, abs=3)
