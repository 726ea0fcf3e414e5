"""Streams on a simulated clock."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks.simulation import Report, Simulation
from benchmarks.uploads import FirstCome
from recognition.core.endpointing import EndpointingOptions
from recognition.engine.runner import ModelRequest
from recognition.engine.scheduler import Scheduler, limits_for
from recognition.fakes.scripted import Script, ScriptedLine, ScriptedOffline, scripted_models
from recognition.interfaces import Samples, SessionContext, Token

SCRIPT = Script([ScriptedLine("大家好。", seconds=2.0), ScriptedLine("好的。", seconds=0.8)])


class Slow(ScriptedOffline):
    """Moves a clock by what each batch takes, or each utterance."""

    def __init__(self, took_s: float, *, is_each: bool = False) -> None:
        super().__init__(SCRIPT)
        self.seconds, self._took_s, self._is_each = 0.0, took_s, is_each

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        self.seconds += self._took_s * (len(batch) if self._is_each else 1)
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


def test_first_words_are_counted_from_the_moment_somebody_begins_to_speak() -> None:
    made = report(took_s=0.1)
    assert len(made.partial_s) >= len(made.first_partial_s) >= 10
    assert 0 < min(made.first_partial_s) < max(made.first_partial_s) < 2.0


def test_recognisers_apart_compute_while_others_do() -> None:
    made = report(apart=True, took_s=8.0)
    assert made.backlog_s < 0.3
    assert made.busy_s["RECOGNIZE"] == 8.0 * len(made.batch_sizes["RECOGNIZE"])
    assert made.audio_s == pytest.approx(90, abs=3)


def beside_uploads(policy: type[Scheduler[ModelRequest]]) -> Report:
    slow = Slow(0.5, is_each=True)
    models = replace(scripted_models(SCRIPT), offline=slow)
    simulation = Simulation(
        models,
        EndpointingOptions(),
        [SCRIPT.audio(pause_s=2.0)],
        streams=1,
        uploads=4,
        scheduler=policy(limits_for(models)),
        clock=lambda: slow.seconds,
    )
    with closing(simulation):
        return simulation.run(warm_up_s=3.0, measure_s=12.0)


def test_uploads_make_no_line_of_a_meeting_late_and_share_what_is_left() -> None:
    made = beside_uploads(Scheduler)
    assert max(made.final_s) <= 1.0  # its own, and one of a file that had begun
    assert min(made.uploaded_s) > 0
    assert max(made.uploaded_s) < 2 * min(made.uploaded_s)


def test_without_the_difference_they_would() -> None:
    made = beside_uploads(FirstCome)
    assert not made.final_s or max(made.final_s) > 2.0
