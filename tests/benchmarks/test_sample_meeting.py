"""The sample meeting with the embedded models: what newcomers see first must be right."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sample_meeting import SAMPLE, Line, put_names, speaker_of, transcribe
from recognition.core.events import Final
from recognition.evaluation.scoring import character_error_rate
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set
from speakers import calibration

REFERENCE = json.loads((SAMPLE / "reference.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    return asyncio.run(transcribe(read_model_set("embedded"), tmp_path_factory.mktemp("models"), REFERENCE))


@pytest.mark.slow
class TestSampleMeeting:
    def test_every_line_has_its_speaker(self, lines: list[Line]) -> None:
        assert [(line.final.text, line.name) for line in lines if line.name != line.expected] == []
        assert {line.name for line in lines} == {"林静", "王磊", "客人"}

    def test_voices_are_compared_as_people_taught(self) -> None:
        embedder = load_models(read_model_set("embedded"), Path("var/models")).embedder
        assert embedder
        taught = calibration.shipped(embedder.model_id, embedder.dimension)
        guessed = calibration.shipped("another model", embedder.dimension)
        assert (taught.slope, taught.bias) != (guessed.slope, guessed.bias)

    def test_who_is_enrolled_is_called_by_the_right_name_in_all_lines(self, lines: list[Line]) -> None:
        said = "".join(turn["text"] for turn in REFERENCE["lines"])
        written = "".join(line.final.text for line in lines)
        assert (written.count("王磊"), written.count("磊")) == (said.count("王磊"), said.count("王磊"))

    def test_at_most_one_character_in_twenty_is_wrong(self, lines: list[Line]) -> None:
        said = "".join(turn["text"] for turn in REFERENCE["lines"])
        assert character_error_rate([(said, "".join(line.final.text for line in lines))]) <= 0.05


def line(start: int, end: int, voice: uuid.UUID, expected: str) -> Line:
    return Line(Final(0, start, end, "", (), np.zeros(1, np.float32), end - start), expected, voice)


def test_the_reference_says_who_speaks_most_of_a_line() -> None:
    turns = [
        {"speaker": "甲", "start": 0.0, "end": 2.0},
        {"speaker": "乙", "start": 2.5, "end": 6.0},
    ]
    assert speaker_of(line(16_000, 64_000, uuid.uuid4(), "").final, turns) == "乙"


def test_a_stranger_who_falls_into_two_voices_is_named_once() -> None:
    one, two, enrolled = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    said = [line(0, 1, one, "客"), line(1, 2, one, "客"), line(2, 3, two, "客"), line(3, 4, enrolled, "林")]
    put_names(said, {one: None, two: None, enrolled: 0}, {0: "林"})
    assert [found.name for found in said] == ["客", "客", "somebody", "林"]
