"""A family of a stranger's own through the whole recognition: a set's file in, events out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recognition.audio import samples
from recognition.core.events import Ended, Event, Final, Partial
from recognition.engine.capacity import measure
from recognition.engine.engine import Engine
from recognition.engine.scheduler import Stage
from recognition.engine.transcriber import Transcriber
from recognition.exceptions import ModelError, ModelSetError
from recognition.fakes.scripted import Script, ScriptedLine
from recognition.interfaces import Models
from recognition.model_sets.kinds import KINDS
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, read_model_set

from .tone_family import HERE, LINES, SET, GrowingRecognizer, ToneRecognizer

SAID = ["大家好，我们开始开会。", "好的！", "预算通过了吗？"]
SCRIPT = Script([ScriptedLine(text, seconds=1.5) for text in SAID])

PARTIALS = f"""
[streaming]
title = "Tones, heard again and again"
licence = "MIT"
kind = "{HERE}.GrowingPartials"
"""

PUNCTUATION = f"""
[punctuation]
title = "The embedded one"
licence = "MIT"
path = "{read_model_set("embedded").sources["punctuation"].path}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / LINES).write_text("\n".join(SAID), encoding="utf-8")
    return tmp_path


def model_set(folder: Path, text: str = SET) -> ModelSet:
    (folder / "tones.toml").write_text(text, encoding="utf-8")
    return read_model_set(str(folder / "tones.toml"))


def load(folder: Path, text: str = SET) -> Models:
    return load_models(model_set(folder, text), folder)


async def transcribe(models: Models, audio: np.ndarray, *, partials: bool = True) -> list[Event]:
    engine = Engine(models)
    engine.start()
    transcriber = Transcriber(engine, model_endpointing(), partials=partials)
    for at in range(0, len(audio), 3200):
        transcriber.feed(audio[at : at + 3200])
        await engine.idle()
    transcriber.finish()
    events = [event async for event in transcriber.events()]
    await engine.aclose()
    return events


def model_endpointing() -> Any:
    return read_model_set("embedded").endpointing


def finals(events: Sequence[Event]) -> list[Final]:
    return [event for event in events if isinstance(event, Final)]


def partials(events: Sequence[Event]) -> list[Partial]:
    return [event for event in events if isinstance(event, Partial)]


@pytest.fixture
async def events(folder: Path) -> list[Event]:
    return await transcribe(load(folder), SCRIPT.audio())


class TestWithoutAFirstPassAPunctuatorAndVoices:
    async def test_every_line_comes_with_the_marks_of_the_recogniser(self, events: list[Event]) -> None:
        assert [final.text for final in finals(events)] == SAID

    async def test_partials_are_previews_of_the_second_pass(self, events: list[Event]) -> None:
        lines = ["".join(line.characters) for line in SCRIPT.lines]
        assert {partial.utterance for partial in partials(events)} == {0, 1, 2}
        assert all(partial.text in lines[partial.utterance] for partial in partials(events))

    async def test_a_line_has_no_voice(self, events: list[Event]) -> None:
        assert {(final.embedding is None, final.speech) for final in finals(events)} == {(True, 0)}

    async def test_an_utterance_is_one_line_with_all_its_tokens(self, events: list[Event]) -> None:
        assert [final.utterance for final in finals(events)] == [0, 1, 2]
        assert ["".join(token.text for token in final.tokens) for final in finals(events)] == [
            "".join(line.characters) for line in SCRIPT.lines
        ]

    async def test_times_are_those_of_the_stream(self, events: list[Event]) -> None:
        period = samples(1.5 + 1.5)
        for number, final in enumerate(finals(events)):
            assert abs(final.tokens[0].start - number * period) < samples(0.1)

    async def test_everything_is_settled_and_ended(self, events: list[Event]) -> None:
        assert events[-1] == Ended(len(SCRIPT.audio()))

    async def test_where_nobody_wants_partials_there_are_none(self, folder: Path) -> None:
        events = await transcribe(load(folder), SCRIPT.audio(), partials=False)
        assert partials(events) == []
        assert [final.text for final in finals(events)] == SAID

    async def test_no_work_is_asked_of_models_that_are_not_there(self, folder: Path) -> None:
        engine = Engine(load(folder))
        engine.start()
        transcriber = Transcriber(engine, model_endpointing())
        await transcriber.feed_all(SCRIPT.audio())
        assert [event async for event in transcriber.events() if isinstance(event, Final)]
        await engine.aclose()
        counts = {stage: sum(own.batch_sizes.counts) for stage, own in engine.statistics.stages.items()}
        assert counts[Stage.DECODE] == counts[Stage.PUNCTUATE] == counts[Stage.EMBED] == 0
        assert counts[Stage.RECOGNIZE] > 0

    def test_what_the_missing_stages_cost_is_nothing(self, folder: Path) -> None:
        cost = measure(load(folder))
        assert cost.decode == cost.punctuate == cost.embed == 0.0
        assert cost.detect > 0
        assert cost.recognize > 0
        assert cost.streams >= 1

    def test_it_is_loaded_and_run_once(self, folder: Path) -> None:
        models = load(folder)
        assert models.name == "tones"
        assert (models.streaming, models.punctuator, models.embedder) == (None, None, None)
        assert models.chunk == 0
        assert isinstance(models.offline, ToneRecognizer)
        assert models.offline.calls == 1


class TestPartialsMadeByTheSecondPass:
    async def test_partials_grow_and_end_in_their_final(self, folder: Path) -> None:
        events = await transcribe(load(folder, SET + PARTIALS), SCRIPT.speak(0))
        [final] = finals(events)
        shown = [partial.text for partial in partials(events)]
        assert shown
        assert all(later.startswith(earlier) for earlier, later in pairwise(shown))
        assert all(final.text.replace("，", "").startswith(text) for text in shown)

    async def test_its_option_is_the_step(self, folder: Path) -> None:
        models = load(folder, SET + PARTIALS + "options = { step_ms = 250 }\n")
        assert models.chunk == samples(0.25)

    async def test_both_passes_share_one_model(self, folder: Path) -> None:
        models = load(folder, SET + PARTIALS)
        assert isinstance(models.streaming, GrowingRecognizer)
        assert models.streaming._offline is models.offline

    async def test_no_state_is_left_behind(self, folder: Path) -> None:
        models = load(folder, SET + PARTIALS)
        await transcribe(models, SCRIPT.audio())
        assert isinstance(models.streaming, GrowingRecognizer)
        assert models.streaming.open_states == 0

    async def test_a_session_may_do_without_partials(self, folder: Path) -> None:
        events = await transcribe(load(folder, SET + PARTIALS), SCRIPT.audio(), partials=False)
        assert partials(events) == []
        assert len(finals(events)) == len(SAID)

    def test_it_is_measured_like_any_first_pass(self, folder: Path) -> None:
        assert measure(load(folder, SET + PARTIALS)).decode > 0


class TestMarks:
    async def test_a_recogniser_that_writes_none_gives_lines_without_any(self, folder: Path) -> None:
        text = SET + 'options = { marks = "none" }\n'
        events = await transcribe(load(folder, text), SCRIPT.audio())
        assert [final.text for final in finals(events)] == ["".join(line.characters) for line in SCRIPT.lines]

    async def test_a_punctuator_decides_where_there_is_one(self, folder: Path) -> None:
        models = load(folder, SET + PUNCTUATION)
        events = await transcribe(models, SCRIPT.speak(1))
        [final] = finals(events)
        assert final.text.rstrip("，。？！、") == "好的"
        assert final.text != "好的！"  # which the recogniser wrote


class TestTheTable:
    async def test_a_kind_is_one_line_there(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(KINDS["offline"], "tones", f"{HERE}.ToneOffline")
        text = SET.replace(f'"{HERE}.ToneOffline"', '"tones"')
        events = await transcribe(load(folder, text), SCRIPT.speak(2))
        assert [final.text for final in finals(events)] == [SAID[2]]

    def test_its_options_are_checked_when_the_set_is_read(self, folder: Path) -> None:
        with pytest.raises(ModelSetError) as refused:
            model_set(folder, SET + PARTIALS + "options = { step_ms = 50 }\n")
        assert str(refused.value) == (
            f"{folder / 'tones.toml'}: [streaming.options]: step_ms = 50 is refused; "
            "it takes a whole number from 100 to 5000"
        )

    def test_its_files_decide_whether_it_is_complete(self, folder: Path) -> None:
        own = model_set(folder)
        assert own.missing(folder) == []
        (folder / "weights" / LINES).unlink()
        assert [source.role for source in own.missing(folder)] == ["offline"]

    def test_what_it_misses_is_said_with_its_table(self, folder: Path) -> None:
        own = model_set(folder)
        (folder / "weights" / LINES).unlink()
        with pytest.raises(ModelError, match=r"tones.toml: \[offline\]: .*lines.txt cannot be read: No such"):
            load_models(own, folder)

    def test_a_kind_without_files_takes_no_place_for_them(self, folder: Path) -> None:
        with pytest.raises(ModelSetError, match=r"\[vad\]: kind .*ToneVad has no files, and takes no path"):
            model_set(folder, SET.replace("[offline]", 'path = "vad"\n\n[offline]'))
