"""Comparing two ways of multiplying: fair turns, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from benchmarks.products import ONEDNN, OURS, _in_turns, _print_table, _with_products
from recognition.int8 import matmul_vnni, products


class TestTurns:
    def test_both_are_run_as_often_and_each_goes_first_as_often(self) -> None:
        ran: list[str] = []
        step: dict[str, Callable[[], Any]] = {arm: partial(ran.append, arm) for arm in (OURS, ONEDNN)}

        spent = _in_turns({"one": step, "two": step}, rounds=4)

        first = ran[::2]
        assert first.count(OURS) == first.count(ONEDNN) == 6
        assert [len(spent[name][arm]) for name in ("one", "two") for arm in (OURS, ONEDNN)] == [4] * 4

    def test_rounds_that_warm_up_do_not_count(self) -> None:
        spent = _in_turns({"one": {OURS: int, ONEDNN: int}}, rounds=0)

        assert spent == {"one": {OURS: [], ONEDNN: []}}


class TestTable:
    def test_ratios_are_those_within_a_round(self, capsys: pytest.CaptureFixture[str]) -> None:
        slower_and_slower = {OURS: [10.0, 20.0, 100.0], ONEDNN: [15.0, 30.0, 100.0]}

        _print_table({"without AMX": {"first pass": slower_and_slower}})

        assert capsys.readouterr().out.splitlines() == [
            "| CPU time of a step | ours | without AMX | ratio |",
            "| --- | --: | --: | --: |",
            "| first pass | 20 ms | 30 ms | **1.50** |",
        ]


@pytest.mark.skipif(not matmul_vnni.is_supported(), reason="this CPU has no AVX512-VNNI")
@pytest.mark.parametrize(("arm", "kind"), [(OURS, products.Vnni), (ONEDNN, products.OneDnn)])
def test_each_has_products_of_its_own_kind_whatever_this_cpu_would_take(arm: str, kind: type) -> None:
    layer = _with_products(arm, lambda: products.Linear(torch.eye(64), None))
    assert isinstance(layer._multiply, kind)
