"""Recognisers as libraries side by side: the same audio for all, medians, and what is said of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.full_size_models import SMALL, write_streaming_paraformer
from benchmarks.peers.libraries import comparison, exporting, measuring, page
from benchmarks.peers.libraries.comparison import OURS, figures_of, ratios, same_tokens
from benchmarks.peers.libraries.names import STREAMING, suffix
from recognition.funasr.loading import open_directory

RATE = measuring.RATE


class Counted:
    """A library whose every second of speech has two tokens, and that notes what it is given."""

    def __init__(self) -> None:
        self.fed: list[list[int]] = []
        self.batches: list[int] = []

    def open(self, count: int) -> Callable[[Sequence[np.ndarray]], int]:
        def feed(chunks: Sequence[np.ndarray]) -> int:
            assert len(chunks) == count
            self.fed.append([len(chunk) for chunk in chunks])
            return count

        return feed

    def recognize(self, utterances: Sequence[np.ndarray]) -> list[list[str]]:
        self.batches.append(len(utterances))
        return [["好"] * (2 * len(each) // RATE) for each in utterances]


@pytest.fixture
def speech() -> np.ndarray:
    loud = np.where(np.arange(30 * RATE) // RATE % 3 == 0, 1.0, 0.1)
    return (np.random.default_rng(0).standard_normal(30 * RATE) * loud).astype(np.float32)


class TestMeasuring:
    def test_each_stream_speaks_from_another_place_of_the_same_recording(self, speech: np.ndarray) -> None:
        found = [measuring.stream(speech, number, 3, 40) for number in range(3)]
        assert {len(each) for each in found} == {40 * RATE}
        np.testing.assert_array_equal(found[1][: 5 * RATE], speech[10 * RATE : 15 * RATE])
        np.testing.assert_array_equal(found[0][30 * RATE :], speech[: 10 * RATE])

    def test_utterances_are_the_loud_pieces_in_their_order(self, speech: np.ndarray) -> None:
        found = measuring.utterances(speech, 1)
        assert len(found) == measuring.UTTERANCES
        assert {len(each) for each in found} == {RATE}
        assert min(float(np.square(each).mean()) for each in found) > 0.3

    def test_all_chunks_are_whole_and_those_of_the_warm_up_do_not_count(self, speech: np.ndarray) -> None:
        library = Counted()
        found = measuring.first_pass(library, speech, 2, 12)
        assert library.fed == [[measuring.CHUNK] * 2] * 20
        assert found["tokens_per_s"] == pytest.approx(1 / 0.6, abs=0.01)

    def test_the_second_pass_has_batches_of_the_size_that_is_measured(self, speech: np.ndarray) -> None:
        library = Counted()
        found = measuring.second_pass(library, measuring.utterances(speech, 2), 4)
        assert library.batches == [4, 4, 4]  # the first of them warms up
        assert found["tokens_per_s"] == 2.0

    def test_every_load_is_a_row(self, speech: np.ndarray) -> None:
        rows = list(measuring.costs(Counted(), speech))
        assert [row["streams"] for row in rows if row["part"] == "first pass"] == [1, 4, 8]
        assert len([row for row in rows if row["part"] == "second pass"]) == 6
        assert {name for row in rows for name in figures_of_one(row)} >= set(comparison.AT)

    def test_memory_without_files_is_part_of_all(self) -> None:
        found = measuring.memory()
        assert 0 < found["anonymous_mib"] < found["resident_mib"]


def figures_of_one(row: dict[str, Any]) -> list[str]:
    return [name for name, _ in comparison._named(row)]


def rows(first: float, second: float, memory: int) -> list[dict[str, Any]]:
    both = [
        *({"part": "first pass", "streams": count, "cpu_ms_per_s": first} for count in (1, 4, 8)),
        *(
            {"part": "second pass", "seconds": length, "batch": batch, "cpu_ms_per_s": second}
            for length in (2, 5, 10)
            for batch in (1, 4)
        ),
    ]
    return [{"part": "loaded", "cpu_s": 5.0, "resident_mib": memory, "anonymous_mib": memory - 100}, *both]


FIGURES = {
    "libraries": {
        OURS: figures_of([*rows(20.0, 10.0, 600), *rows(40.0, 10.0, 700), *rows(30.0, 20.0, 800)]),
        "sherpa-onnx": figures_of(rows(80.0, 30.0, 560)),
        "funasr-onnx": figures_of(rows(160.0, 80.0, 960)),
    },
    "same_tokens": {"float32": {OURS: 1.0, "sherpa-onnx": 1.0, "funasr-onnx": 0.99}},
}


class TestFigures:
    def test_are_medians_of_the_rounds(self) -> None:
        ours = FIGURES["libraries"][OURS]
        assert (ours["first pass, 8 streams"], ours["second pass, 5 s, 4 at once"]) == (30.0, 10.0)
        assert (ours["both passes"], ours["memory, MiB"]) == (40.0, 700)

    def test_streams_of_a_core_are_compared_by_what_both_passes_cost(self) -> None:
        found = ratios(FIGURES)
        assert found["streams_per_core_over_sherpa_onnx"] == 2.75
        assert found["streams_per_core_over_funasr_onnx"] == 6.0
        assert found["memory_over_sherpa_onnx"] == 1.25

    def test_tokens_are_compared_with_ours_in_float32(self) -> None:
        ours = [["你", "好", "吗"], ["是"]]
        texts = {"float32": {OURS: ours, "other": ours}, "int8": {OURS: [["你", "吗"], ["是"]]}}
        assert same_tokens(texts) == {"float32": {OURS: 1.0, "other": 1.0}, "int8": {OURS: 0.75}}

    def test_a_row_says_how_the_better_other_does(self) -> None:
        table = page.table(FIGURES).splitlines()
        assert "| first pass, 1 stream | 30.0 | 80.0 | 160 | **2.67** |" in table
        assert "| memory, MiB | 700 | 560 | 960 | **0.80** |" in table
        assert table[-1].endswith("| 100.0% | 100.0% | 99.0% |  |")

    def test_the_picture_has_a_bar_for_each_library_and_pass(self) -> None:
        drawn = ElementTree.fromstring(page.picture(FIGURES))  # noqa: S314 - ours
        bars = [each for each in drawn.iter() if each.tag.endswith("rect") and each.get("height") == "13"]
        assert len(bars) == 3 * len(page.PASSES)
        widths = [float(bar.get("width", "0")) for bar in bars[:3]]
        assert widths == sorted(widths)


def test_each_library_reads_files_of_its_own_in_8_bits_and_the_same_ones_in_float() -> None:
    assert suffix("sherpa-onnx", "int8") != suffix("funasr-onnx", "int8")
    assert {suffix(name, "float32") for name in ("sherpa-onnx", "funasr-onnx")} == {""}


def test_sherpa_onnx_is_told_how_the_model_is_built(tmp_path: Path) -> None:
    write_streaming_paraformer(tmp_path / STREAMING, SMALL)
    told = exporting.description(open_directory(tmp_path / STREAMING))
    assert told["model_type"] == "paraformer"
    assert (told["lfr_window_size"], told["lfr_window_shift"]) == ("7", "6")
    tokens = json.loads((tmp_path / STREAMING / "tokens.json").read_text(encoding="utf-8"))
    assert told["vocab_size"] == str(len(tokens))
    assert len(told["neg_mean"].split(",")) == len(told["inv_stddev"].split(",")) == 560


def test_what_runs_in_an_environment_of_others_needs_nothing_of_the_product() -> None:
    script = (
        "import sys, benchmarks.peers.libraries.measuring, benchmarks.peers.libraries.names;"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'recognition', 'torch', 'django'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
