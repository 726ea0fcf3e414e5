"""The engine: work of many sessions goes to one thread, and every result comes back to whom it belongs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from recognition.core.work import (
    DecodeChunk,
    DetectSpeech,
    Embed,
    EndDecoding,
    Failed,
    Preview,
    Punctuate,
    Recognize,
    Recognized,
    Result,
    SpeechProbabilities,
    Work,
)
from recognition.engine.engine import Engine
from recognition.engine.runner import ModelStream
from recognition.engine.scheduler import (
    DEFAULT_LIMITS,
    GPU_LIMITS,
    BatchLimits,
    Scheduler,
    Stage,
    limits_for,
)
from recognition.fakes.scripted import (
    Script,
    ScriptedLine,
    ScriptedOffline,
    ScriptedStreaming,
    ScriptedVad,
)
from recognition.interfaces import Models, Samples, SessionContext, State, Token

SCRIPT = Script(
    [ScriptedLine("大家好。", voice=0, seconds=2.0), ScriptedLine("好的。", voice=1, seconds=0.8)]
)
WINDOW = np.zeros(ScriptedVad.window, np.float32)
CHUNK = np.zeros(ScriptedStreaming.chunk, np.float32)
LINE = SCRIPT.speak(0)


class Held(ScriptedOffline):
    """A second pass that computes only when it is let."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.batches: list[int] = []
        self.has_begun = threading.Event()
        self.may_go_on = threading.Event()

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        self.batches.append(len(batch))
        self.has_begun.set()
        assert self.may_go_on.wait(20)
        return super().recognize(batch)


async def answer(engine: Engine, work: Work, stream: ModelStream | None = None) -> Result:
    """Return the result of one piece of work."""
    done = asyncio.get_running_loop().create_future()
    engine.submit(stream or engine.open_stream(), work, done.set_result)
    async with asyncio.timeout(20):
        result: Result = await done
    return result


async def all_run(engine: Engine) -> None:
    """Wait until the threads have done what they were given."""
    for stage in Stage:
        await engine.run(lambda models: None, stage=stage)


class TestResults:
    async def test_each_kind_of_work_has_its_kind_of_result(self, engine: Engine) -> None:
        for work, expected in (
            (DetectSpeech(WINDOW), "SpeechProbabilities"),
            (DecodeChunk(3, CHUNK), "ChunkDecoded"),
            (Preview(3, LINE), "Previewed"),
            (Recognize(3, LINE), "Recognized"),
            (Punctuate(3, ("大", "家", "好")), "Punctuated"),
            (Embed(3, LINE, ((0, 16_000),)), "Embedded"),
        ):
            result = await answer(engine, work)
            assert type(result).__name__ == expected
            assert getattr(result, "utterance", 3) == 3

    async def test_results_come_on_the_event_loop(self, engine: Engine) -> None:
        threads: list[threading.Thread] = []
        engine.submit(
            engine.open_stream(),
            DetectSpeech(WINDOW),
            lambda result: threads.append(threading.current_thread()),
        )
        await engine.idle()
        assert threads == [threading.current_thread()]

    async def test_models_compute_on_one_thread_that_is_another(self, models: Models) -> None:
        threads: set[str] = set()

        class Watched(ScriptedVad):
            def detect(self, batch: Sequence[tuple[State, Samples]]) -> list[np.ndarray]:
                threads.add(threading.current_thread().name)
                return super().detect(batch)

        engine = Engine(replace(models, vad=Watched()))
        engine.start()
        await asyncio.gather(*(answer(engine, DetectSpeech(WINDOW)) for _ in range(20)))
        await engine.aclose()
        [name] = threads
        assert name.startswith("models")

    async def test_what_waits_together_is_computed_together(self, models: Models) -> None:
        held = Held(SCRIPT)
        engine = Engine(replace(models, offline=held))
        engine.start()
        first = asyncio.ensure_future(answer(engine, Recognize(0, LINE)))
        await asyncio.to_thread(held.has_begun.wait, 20)
        others = [asyncio.ensure_future(answer(engine, Recognize(n, LINE))) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        held.may_go_on.set()
        results = await asyncio.gather(first, *others)
        await engine.aclose()
        assert held.batches == [1, 3]
        assert [result.utterance for result in results if isinstance(result, Recognized)] == [0, 1, 2, 3]

    async def test_a_session_is_only_once_in_a_batch(self, models: Models) -> None:
        held = Held(SCRIPT)
        engine = Engine(replace(models, offline=held))
        engine.start()
        stream = engine.open_stream()
        first = asyncio.ensure_future(answer(engine, Recognize(0, LINE), stream))
        await asyncio.to_thread(held.has_begun.wait, 20)
        others = [asyncio.ensure_future(answer(engine, Recognize(n, LINE), stream)) for n in (1, 2)]
        await asyncio.sleep(0)
        held.may_go_on.set()
        await asyncio.gather(first, *others)
        await engine.aclose()
        assert held.batches == [1, 1, 1]


class TestFailures:
    class Refuses(ScriptedOffline):
        """Cannot stand audio of a certain length."""

        def recognize(
            self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
        ) -> list[list[Token]]:
            if any(len(audio) == 16_000 for audio in batch):
                raise RuntimeError("mel energy is nan")
            return super().recognize(batch)

    async def test_one_that_fails_alone_is_told_so(self, models: Models) -> None:
        engine = Engine(replace(models, offline=self.Refuses(SCRIPT)))
        engine.start()
        work = Recognize(7, LINE[:16_000])
        assert await answer(engine, work) == Failed(work)
        await engine.aclose()
        assert engine.statistics.stages[Stage.RECOGNIZE].failed == 1

    async def test_the_others_of_its_batch_get_their_results(self, models: Models) -> None:
        engine = Engine(replace(models, offline=self.Refuses(SCRIPT)))
        works = [Recognize(0, LINE), Recognize(1, LINE[:16_000]), Recognize(2, LINE)]
        waiting = [asyncio.ensure_future(answer(engine, work)) for work in works]
        await asyncio.sleep(0)
        engine.start()
        results = await asyncio.gather(*waiting)
        await engine.aclose()
        assert [type(result) for result in results] == [Recognized, Failed, Recognized]
        assert engine.statistics.stages[Stage.RECOGNIZE].failed == 1

    async def test_partials_that_come_too_late_are_told_as_failed_and_counted_as_dropped(
        self, models: Models
    ) -> None:
        limits = dict(DEFAULT_LIMITS) | {
            Stage.DECODE: BatchLimits(size=8, padded_samples=2**31, patience_s=1)
        }
        times = iter([0.0, *[100.0] * 1000])
        engine = Engine(models, Scheduler(limits), clock=lambda: next(times))
        work = DecodeChunk(0, CHUNK)
        waiting = asyncio.ensure_future(answer(engine, work))
        await asyncio.sleep(0)
        engine.start()
        assert await waiting == Failed(work)
        await engine.aclose()
        assert engine.statistics.stages[Stage.DECODE].dropped == 1

    async def test_a_session_that_cannot_take_a_result_does_not_end_the_engine(
        self, engine: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(result: Result) -> None:
            raise ValueError("broken")

        engine.submit(engine.open_stream(), DetectSpeech(WINDOW), refuse)
        assert isinstance(await answer(engine, DetectSpeech(WINDOW)), SpeechProbabilities)
        assert "a session could not take its DetectSpeech" in caplog.text


class TestStreams:
    async def test_a_closed_one_gets_nothing_any_more(self, models: Models) -> None:
        held = Held(SCRIPT)
        engine = Engine(replace(models, offline=held))
        engine.start()
        got: list[Result] = []
        stream = engine.open_stream()
        engine.submit(stream, Recognize(0, LINE), got.append)
        await asyncio.to_thread(held.has_begun.wait, 20)
        engine.submit(stream, Recognize(1, LINE), got.append)
        engine.close_stream(stream)
        held.may_go_on.set()
        await engine.idle()
        await engine.aclose()
        assert got == []
        assert held.batches == [1]

    async def test_closing_it_frees_its_state(self, engine: Engine, models: Models) -> None:
        stream = engine.open_stream()
        for utterance in range(3):
            await answer(engine, DecodeChunk(utterance, CHUNK), stream)
        await answer(engine, DetectSpeech(WINDOW), stream)
        streaming = models.streaming
        assert isinstance(streaming, ScriptedStreaming)
        assert streaming.open_states == 3
        engine.close_stream(stream)
        await all_run(engine)
        assert streaming.open_states == 0
        assert (stream.vad, stream.decoding) == (None, {})

    async def test_closing_it_twice_does_no_harm(self, engine: Engine) -> None:
        stream = engine.open_stream()
        await answer(engine, DecodeChunk(0, CHUNK), stream)
        engine.close_stream(stream)
        engine.close_stream(stream)
        await all_run(engine)

    async def test_the_end_of_an_utterance_frees_its_state_and_drops_its_partials(
        self, engine: Engine, models: Models
    ) -> None:
        got: list[Result] = []
        stream = engine.open_stream()
        await answer(engine, DecodeChunk(0, CHUNK), stream)
        engine.submit(stream, Preview(0, LINE), got.append)
        engine.submit(stream, EndDecoding(0), got.append)
        await all_run(engine)
        await engine.idle()
        streaming = models.streaming
        assert isinstance(streaming, ScriptedStreaming)
        assert streaming.open_states == 0
        assert got == []

    async def test_the_end_of_one_that_never_began_does_no_harm(self, engine: Engine) -> None:
        engine.submit(engine.open_stream(), EndDecoding(5), lambda result: None)
        await all_run(engine)

    async def test_the_detector_begins_anew_when_it_is_told_to(self, models: Models) -> None:
        states: list[State] = []

        class Watched(ScriptedVad):
            def detect(self, batch: Sequence[tuple[State, Samples]]) -> list[np.ndarray]:
                states.extend(state for state, _ in batch)
                return super().detect(batch)

        engine = Engine(replace(models, vad=Watched()))
        engine.start()
        stream = engine.open_stream()
        for is_first in (True, False, True, False):
            await answer(engine, DetectSpeech(WINDOW, is_first), stream)
        await engine.aclose()
        assert states[0] is states[1]
        assert states[2] is states[3]
        assert states[1] is not states[2]


class TestRecognisersApart:
    """Recognisers that take long have a thread of their own."""

    async def test_nobody_waits_for_them_but_those_who_want_them(self, models: Models) -> None:
        held = Held(SCRIPT)
        engine = Engine(replace(models, offline=held, recognises_apart=True))
        engine.start()
        order: list[str] = []

        async def note(work: Work) -> None:
            order.append(type(await answer(engine, work)).__name__)

        slow = [asyncio.create_task(note(work)) for work in (Recognize(0, LINE), DecodeChunk(1, CHUNK))]
        await asyncio.to_thread(held.has_begun.wait, 20)
        for work in (DetectSpeech(WINDOW), Punctuate(0, ("好",)), Embed(0, LINE, ((0, 16_000),))):
            await note(work)
        assert order == ["SpeechProbabilities", "Punctuated", "Embedded"]
        held.may_go_on.set()
        await asyncio.gather(*slow)
        await engine.aclose()
        assert order[3:] == ["Recognized", "ChunkDecoded"]

    async def test_each_state_is_of_one_thread(self, models: Models) -> None:
        touched: dict[str, set[str]] = {}

        def touch(what: str) -> None:
            touched.setdefault(what, set()).add(threading.current_thread().name)

        class Detector(ScriptedVad):
            def detect(self, batch: Sequence[tuple[State, Samples]]) -> list[np.ndarray]:
                touch("others")
                return super().detect(batch)

        class FirstPass(ScriptedStreaming):
            def new_state(self, context: SessionContext | None = None) -> State:
                touch("recognisers")
                return super().new_state()

            def release(self, state: State) -> None:
                touch("recognisers")
                super().release(state)

        class SecondPass(ScriptedOffline):
            def recognize(
                self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
            ) -> list[list[Token]]:
                touch("recognisers")
                return super().recognize(batch)

        first_pass = FirstPass(SCRIPT)
        engine = Engine(
            replace(
                models,
                vad=Detector(),
                streaming=first_pass,
                offline=SecondPass(SCRIPT),
                recognises_apart=True,
            )
        )
        engine.start()
        stream = engine.open_stream()
        for work in (DetectSpeech(WINDOW), Recognize(0, LINE), DecodeChunk(1, CHUNK), DecodeChunk(2, CHUNK)):
            await answer(engine, work, stream)
        await engine.run(lambda models: touch("others"))
        await engine.run(lambda models: touch("recognisers"), stage=Stage.RECOGNIZE)
        engine.submit(stream, EndDecoding(1), lambda result: None)
        engine.close_stream(stream)
        await all_run(engine)
        await engine.aclose()
        assert first_pass.open_states == 0
        assert (stream.vad, stream.decoding) == (None, {})
        assert {what: len(threads) for what, threads in touched.items()} == {"others": 1, "recognisers": 1}
        assert touched["others"] != touched["recognisers"]

    async def test_idle_waits_for_both(self, models: Models) -> None:
        held = Held(SCRIPT)
        engine = Engine(replace(models, offline=held, recognises_apart=True))
        engine.start()
        got: list[Result] = []
        engine.submit(engine.open_stream(), Recognize(0, LINE), got.append)
        await answer(engine, DetectSpeech(WINDOW))
        idle = asyncio.create_task(engine.idle())
        await asyncio.sleep(0)
        assert not idle.done()
        held.may_go_on.set()
        await asyncio.wait_for(idle, 20)
        assert len(got) == 1
        await engine.aclose()


class TestRunning:
    async def test_idle_waits_for_all_that_was_submitted(self, engine: Engine) -> None:
        got: list[Result] = []
        for number in range(30):
            engine.submit(engine.open_stream(), Recognize(number, LINE), got.append)
        await engine.idle()
        assert len(got) == 30

    async def test_something_else_may_be_done_with_the_models_between_batches(self, engine: Engine) -> None:
        def on_thread(models: Models) -> tuple[str, str]:
            return models.name, threading.current_thread().name

        name, thread = await engine.run(on_thread)
        assert name == "scripted"
        assert thread.startswith("models")

    async def test_what_it_raises_reaches_whoever_asked(self, engine: Engine) -> None:
        def fail(models: Models) -> None:
            raise ValueError("no such voice")

        with pytest.raises(ValueError, match="no such voice"):
            await engine.run(fail)
        assert isinstance(await answer(engine, DetectSpeech(WINDOW)), SpeechProbabilities)

    async def test_it_stops_after_the_batch_that_is_running(self, models: Models) -> None:
        held = Held(SCRIPT)
        engine = Engine(replace(models, offline=held))
        engine.start()
        engine.submit(engine.open_stream(), Recognize(0, LINE), lambda result: None)
        await asyncio.to_thread(held.has_begun.wait, 20)
        closing = asyncio.create_task(engine.aclose())
        await asyncio.sleep(0.05)
        assert not closing.done()
        held.may_go_on.set()
        async with asyncio.timeout(20):
            await closing
        threads = [thread for lane in engine._lanes for thread in lane.thread._threads]
        assert threads
        assert not any(thread.is_alive() for thread in threads)

    async def test_one_that_was_never_started_can_be_closed(self, models: Models) -> None:
        await Engine(models).aclose()

    async def test_its_limits_are_those_of_the_device(self, models: Models) -> None:
        engine = Engine(replace(models, device="cuda"))
        assert engine.scheduler.limits == limits_for(engine.models)
        assert engine.scheduler.limits == GPU_LIMITS
        await engine.aclose()

    async def test_its_clock_is_the_one_it_was_given(self, models: Models) -> None:
        engine = Engine(models, clock=lambda: 42.0)
        assert engine.now() == 42.0
        await engine.aclose()


class TestStatistics:
    async def test_every_job_is_counted_once_with_its_audio(self, engine: Engine) -> None:
        await asyncio.gather(*(answer(engine, Recognize(n, LINE)) for n in range(10)))
        own = engine.statistics.stages[Stage.RECOGNIZE]
        assert own.samples == 10 * len(LINE)
        assert sum(own.waits_s.counts) == 10
        assert own.busy_s > 0
        assert own.failed == own.dropped == 0
