"""Session, engine and scripted models together: audio in, events out."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from recognition.audio import samples
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Ended, Event, Final, Flushed, Partial, Settled, UtteranceFailed
from recognition.core.work import DetectSpeech
from recognition.engine.engine import Engine
from recognition.engine.runner import ModelStream
from recognition.engine.scheduler import DEFAULT_LIMITS, BatchLimits, Scheduler, Stage
from recognition.engine.transcriber import MAX_BACKLOG, Transcriber
from recognition.exceptions import SessionClosed
from recognition.fakes.scripted import (
    Script,
    ScriptedLine,
    ScriptedOffline,
    ScriptedSegmenter,
    ScriptedStreaming,
    scripted_models,
)
from recognition.interfaces import Models, Samples, SessionContext, Token

SCRIPT = Script(
    [
        ScriptedLine("大家好，我们开始开会。", voice=0, seconds=2.0),
        ScriptedLine("好的。", voice=1, seconds=0.8),
        ScriptedLine("预算通过了吗？", voice=0, seconds=1.5),
        ScriptedLine("通过了。", voice=2, seconds=1.0),
    ]
)


async def transcribe(engine: Engine, audio: Samples, *, frame: int = 3200) -> list[Event]:
    transcriber = Transcriber(engine, EndpointingOptions())
    for at in range(0, len(audio), frame):
        transcriber.feed(audio[at : at + frame])
        await transcriber.caught_up(samples(2))
    transcriber.finish()
    return [event async for event in transcriber.events()]


def finals(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Final)]


async def test_every_line_comes_once_in_order_with_punctuation(engine: Engine) -> None:
    events = await transcribe(engine, SCRIPT.audio())
    assert finals(events) == [line.text for line in SCRIPT.lines]
    assert isinstance(events[-1], Ended)


async def test_a_whole_recording_may_be_fed_at_once(engine: Engine) -> None:
    transcriber = Transcriber(engine, EndpointingOptions())
    await transcriber.feed_all(SCRIPT.audio())
    assert finals([event async for event in transcriber.events()]) == [line.text for line in SCRIPT.lines]


async def test_an_utterance_ends_where_it_is_flushed_without_any_silence_behind_it(engine: Engine) -> None:
    transcriber = Transcriber(engine, EndpointingOptions())
    heard: list[Event] = []
    for index, line in enumerate(SCRIPT.lines):
        transcriber.feed(SCRIPT.speak(index, pause_s=0))
        transcriber.flush()
        async with asyncio.timeout(10):
            async for event in transcriber.events():
                heard.append(event)
                if isinstance(event, Flushed):
                    break
        assert finals(heard)[-1] == line.text
    assert len(finals(heard)) == len(SCRIPT.lines)
    transcriber.close()


async def test_partials_grow_and_precede_their_final(engine: Engine) -> None:
    transcriber = Transcriber(engine, EndpointingOptions())
    for piece in np.split(SCRIPT.speak(0), 35):
        transcriber.feed(piece)
        await engine.idle()
    transcriber.finish()
    events = [event async for event in transcriber.events()]
    partials = [event.text for event in events if isinstance(event, Partial)]
    assert partials == ["大", "大家", "大家好", "大家好我"]
    first_final = next(i for i, event in enumerate(events) if isinstance(event, Final))
    assert not any(isinstance(event, Partial) for event in events[first_final:])


async def test_the_same_voice_has_the_same_embedding(engine: Engine) -> None:
    finals = [event for event in await transcribe(engine, SCRIPT.audio()) if isinstance(event, Final)]
    voices = np.array([final.embedding for final in finals])
    assert np.dot(voices[0], voices[2]) == 1
    assert np.dot(voices[0], voices[1]) == 0


async def test_many_sessions_at_once_do_not_mix(engine: Engine) -> None:
    orders = [[0], [1, 2], [3, 0, 1], [2, 2], [1, 3, 3, 0]]
    recordings = [np.concatenate([SCRIPT.speak(i) for i in order]) for order in orders]
    results = await asyncio.gather(*(transcribe(engine, audio) for audio in recordings))
    for order, events in zip(orders, results, strict=True):
        assert finals(events) == [SCRIPT.lines[i].text for i in order]


async def test_a_finished_session_leaves_no_model_state_behind(engine: Engine, models: Models) -> None:
    await transcribe(engine, SCRIPT.audio())
    await engine.run(lambda models: None)
    streaming = models.streaming
    assert isinstance(streaming, ScriptedStreaming)
    assert streaming.open_states == 0
    assert len(engine.scheduler) == 0


async def test_an_abandoned_session_leaves_no_model_state_behind(engine: Engine, models: Models) -> None:
    transcriber = Transcriber(engine, EndpointingOptions())
    transcriber.feed(SCRIPT.speak(0))
    await transcriber.caught_up(samples(0.2))
    transcriber.close()
    await engine.run(lambda models: None)
    streaming = models.streaming
    assert isinstance(streaming, ScriptedStreaming)
    assert streaming.open_states == 0
    assert len(engine.scheduler) == 0


class SpeaksNonsense(ScriptedOffline):
    """Answers with what is no token."""

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        return [["no token"] for _ in batch]  # type: ignore[list-item]


async def test_what_a_session_cannot_cope_with_is_told_and_not_waited_for(models: Models) -> None:
    engine = Engine(replace(models, offline=SpeaksNonsense(SCRIPT)))
    engine.start()
    with pytest.raises(AttributeError):
        await asyncio.wait_for(transcribe(engine, SCRIPT.audio()), 10)
    await engine.aclose()


class FailsOnLine(ScriptedOffline):
    """Cannot stand one of the lines."""

    def __init__(self, script: Script, poison: str) -> None:
        super().__init__(script)
        self._poison = poison

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        results = super().recognize(batch)
        if any("".join(token.text for token in tokens) == self._poison for tokens in results):
            raise RuntimeError("mel energy is nan")
        return results


async def test_an_utterance_that_breaks_the_model_costs_nobody_else_anything(models: Models) -> None:
    poisoned = replace(models, offline=FailsOnLine(SCRIPT, "预算通过了吗"))
    engine = Engine(poisoned)
    engine.start()
    bad, good = await asyncio.gather(
        transcribe(engine, SCRIPT.audio()),
        transcribe(engine, np.concatenate([SCRIPT.speak(1), SCRIPT.speak(3)])),
    )
    await engine.aclose()

    assert finals(good) == ["好的。", "通过了。"]
    assert finals(bad) == ["大家好，我们开始开会。", "好的。", "通过了。"]
    [failed] = [event for event in bad if isinstance(event, UtteranceFailed)]
    assert failed.utterance == 2


async def test_a_session_goes_on_at_the_position_it_is_given(engine: Engine) -> None:
    transcriber = Transcriber(engine, EndpointingOptions(), start=samples(100), first_utterance=9)
    transcriber.feed(SCRIPT.speak(1))
    transcriber.finish()
    [final] = [event async for event in transcriber.events() if isinstance(event, Final)]
    assert final.utterance == 9
    assert final.start == samples(100)


async def test_a_session_that_cannot_take_its_result_does_not_stop_the_others(engine: Engine) -> None:
    def refuse(result: object) -> None:
        raise RuntimeError("this session is broken")

    broken = engine.open_stream()
    engine.submit(broken, DetectSpeech(np.zeros(1600, np.float32)), refuse)

    events = await transcribe(engine, SCRIPT.audio())

    assert len(finals(events)) == 4


async def test_partials_that_come_too_late_are_given_up_and_finals_are_not(models: Models) -> None:
    limits = dict(DEFAULT_LIMITS) | {Stage.DECODE: BatchLimits(size=8, padded_samples=2**31, patience_s=0.5)}
    engine = Engine(models, Scheduler(limits), clock=itertools.count().__next__)
    engine.start()
    events = await transcribe(engine, SCRIPT.audio())
    await engine.aclose()

    assert len(finals(events)) == 4
    assert not any(isinstance(event, Partial) for event in events)
    assert engine.statistics.stages[Stage.DECODE].dropped > 0
    assert engine.statistics.stages[Stage.RECOGNIZE].failed == 0


async def test_the_engine_counts_what_it_does(engine: Engine) -> None:
    await transcribe(engine, SCRIPT.audio())

    stages = engine.statistics.stages
    assert sum(stages[Stage.RECOGNIZE].batch_sizes.counts) == 4
    assert stages[Stage.DETECT].audio_s >= SCRIPT.audio().size / 16_000
    # For partials nothing need be left to do when the audio comes all at once; nobody here speaks at once.
    perhaps = {Stage.DECODE, Stage.PREVIEW}
    assert {stage for stage in Stage if stages[stage].busy_s} | perhaps == {*Stage} - {Stage.SEGMENT}


async def test_sessions_come_and_go_and_leave_nothing(engine: Engine, models: Models) -> None:
    audio = SCRIPT.speak(1)
    before = _sessions_in_memory()
    for _ in range(10):
        await asyncio.gather(*(transcribe(engine, audio) for _ in range(10)))
    await engine.run(lambda models: None)

    streaming = models.streaming
    assert isinstance(streaming, ScriptedStreaming)
    assert streaming.open_states == 0
    assert len(engine.scheduler) == 0
    assert _sessions_in_memory() <= before


def _sessions_in_memory() -> int:
    gc.collect()
    # Not by `isinstance`, which asks weak proxies of other libraries for the class of what they stood for.
    return sum(type(thing) in (Transcriber, ModelStream) for thing in gc.get_objects())


async def test_left_off_it_tells_what_has_ended_and_not_what_is_open(engine: Engine) -> None:
    transcriber = Transcriber(engine, EndpointingOptions())
    transcriber.feed(np.concatenate([SCRIPT.speak(0), SCRIPT.speak(2)[:8000]]))
    await transcriber.leave_off()
    events = [event async for event in transcriber.events()]
    assert finals(events) == [SCRIPT.lines[0].text]
    assert not any(isinstance(event, Ended) for event in events)
    assert transcriber.session.settled <= len(SCRIPT.speak(0))


class TestSeveralSpeakers:
    """People who do not wait for each other."""

    script = Script(
        [
            ScriptedLine("大家好，我们开始开会。", voice=0, seconds=3.0),
            ScriptedLine("好的。", voice=1, seconds=2.0, gap_s=0.0),
            ScriptedLine("预算通过了吗？", voice=2, seconds=3.0, gap_s=-1.0),
        ]
    )

    async def finals(self, models: Models) -> list[Final]:
        engine = Engine(models)
        engine.start()
        events = await transcribe(engine, self.script.audio())
        await engine.aclose()
        assert engine.statistics.stages[Stage.SEGMENT].batch_sizes.total == (models.segmenter is not None)
        return [event for event in events if isinstance(event, Final)]

    async def test_each_of_them_has_a_line_with_the_own_voice(self) -> None:
        finals = await self.finals(scripted_models(self.script))
        voices = [int(final.embedding.argmax()) for final in finals if final.embedding is not None]
        assert voices == [0, 1, 2]
        assert {final.utterance for final in finals} == {0}
        starts = [start for start, _ in self.script.spans()]
        assert [final.start for final in finals] == pytest.approx(starts, abs=samples(0.3))
        assert finals[1].end > finals[2].start + samples(0.5)

    async def test_without_a_segmenter_nobody_speaks_at_once(self) -> None:
        finals = await self.finals(replace(scripted_models(self.script), segmenter=None))
        assert all(one.end <= other.start for one, other in itertools.pairwise(finals))

    async def test_a_segmenter_that_fails_costs_no_words(self) -> None:
        plain = await self.finals(replace(scripted_models(self.script), segmenter=None))
        assert await self.finals(replace(scripted_models(self.script), segmenter=Broken())) == plain


class Broken(ScriptedSegmenter):
    def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
        raise RuntimeError("no memory")


class TestFlush:
    async def test_the_open_utterance_ends_and_becomes_final_before_it_is_told(self, engine: Engine) -> None:
        transcriber = Transcriber(engine, EndpointingOptions())
        line = SCRIPT.speak(0, pause_s=0)
        transcriber.feed(line)
        transcriber.flush()
        transcriber.feed(SCRIPT.speak(2))
        transcriber.finish()
        first, told, last = [e async for e in transcriber.events() if isinstance(e, Final | Flushed)]
        assert isinstance(first, Final)
        assert isinstance(last, Final)
        assert told == Flushed(len(line))
        assert first.end <= len(line) <= last.start

    async def test_where_nobody_speaks_only_that_is_told(self, engine: Engine) -> None:
        transcriber = Transcriber(engine, EndpointingOptions())
        transcriber.feed(np.zeros(32_000, np.float32))
        transcriber.flush()
        transcriber.finish()
        events = [e async for e in transcriber.events() if isinstance(e, Final | Flushed | Ended)]
        assert events == [Flushed(32_000), Ended(32_000)]

    async def test_many_in_a_row_each_end_their_own(self, engine: Engine) -> None:
        transcriber = Transcriber(engine, EndpointingOptions())
        places = []
        for number in (0, 1, 2, 3):
            transcriber.feed(SCRIPT.speak(number, pause_s=0))
            transcriber.flush()
            places.append(transcriber.session.position)
            await engine.idle()
        transcriber.finish()
        events = [event async for event in transcriber.events()]
        assert [event.position for event in events if isinstance(event, Flushed)] == places
        assert finals(events) == [line.text for line in SCRIPT.lines]


class TestOneSession:
    async def test_nothing_said_ends_with_nothing_but_the_end(self, engine: Engine) -> None:
        assert await transcribe(engine, np.zeros(0, np.float32)) == [Ended(0)]

    async def test_how_audio_is_cut_makes_no_difference(self, engine: Engine) -> None:
        audio = SCRIPT.audio()
        lines = [event for event in await transcribe(engine, audio) if isinstance(event, Final)]
        for frame in (160, 999, 16_000, len(audio)):
            events = await transcribe(engine, audio, frame=frame)
            assert [event for event in events if isinstance(event, Final)] == lines

    async def test_lines_lie_where_they_were_spoken(self, engine: Engine) -> None:
        start = 0
        for final, line in zip(
            [e for e in await transcribe(engine, SCRIPT.audio()) if isinstance(e, Final)],
            SCRIPT.lines,
            strict=True,
        ):
            spoken = start + samples(line.seconds)
            assert final.tokens[0].start == pytest.approx(start, abs=samples(0.05))
            assert final.tokens[-1].end == pytest.approx(spoken, abs=samples(0.05))
            assert final.start <= final.tokens[0].start
            assert final.tokens[-1].end <= final.end
            start = spoken + samples(1.5)

    async def test_everything_said_is_settled_in_the_end(self, engine: Engine) -> None:
        audio = SCRIPT.audio()
        events = await transcribe(engine, audio)
        settled = [event.position for event in events if isinstance(event, Settled)]
        assert settled == sorted(set(settled))
        assert settled[-1] == len(audio)

    async def test_partials_say_up_to_where_they_heard(self, engine: Engine) -> None:
        transcriber = Transcriber(engine, EndpointingOptions())
        for piece in np.split(SCRIPT.speak(0), 35):
            transcriber.feed(piece)
            await engine.idle()
            fed = transcriber.session.position
            assert all(
                event.start < event.end <= fed
                for event in _waiting(transcriber)
                if isinstance(event, Partial)
            )
        transcriber.close()

    async def test_without_partials_there_are_none(self, engine: Engine) -> None:
        transcriber = Transcriber(engine, EndpointingOptions(), partials=False)
        for piece in np.split(SCRIPT.speak(0), 35):
            transcriber.feed(piece)
            await engine.idle()
        transcriber.finish()
        events = [event async for event in transcriber.events()]
        assert not any(isinstance(event, Partial) for event in events)
        assert finals(events) == [SCRIPT.lines[0].text]

    async def test_audio_after_the_end_is_refused(self, engine: Engine) -> None:
        transcriber = Transcriber(engine, EndpointingOptions())
        transcriber.finish()
        with pytest.raises(SessionClosed):
            transcriber.feed(np.zeros(160, np.float32))
        transcriber.close()

    async def test_it_may_be_ended_twice_and_closed_twice(self, engine: Engine) -> None:
        transcriber = Transcriber(engine, EndpointingOptions())
        transcriber.feed(SCRIPT.speak(1))
        transcriber.finish()
        transcriber.finish()
        assert finals([event async for event in transcriber.events()]) == [SCRIPT.lines[1].text]
        transcriber.close()
        transcriber.close()


class TestCatchingUp:
    async def test_it_waits_until_no_more_than_so_much_is_left(self, engine: Engine) -> None:
        transcriber = Transcriber(engine, EndpointingOptions())
        transcriber.feed(SCRIPT.audio())
        for backlog in (samples(4), samples(1), 0):
            await asyncio.wait_for(transcriber.caught_up(backlog), 10)
            assert transcriber.session.position - transcriber.session.processed <= backlog
        transcriber.close()

    async def test_a_recording_is_not_fed_much_faster_than_it_is_heard(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        transcriber = Transcriber(engine, EndpointingOptions())
        worst, feed = 0, transcriber.feed

        def watched(audio: Samples) -> None:
            nonlocal worst
            feed(audio)
            worst = max(worst, transcriber.session.position - transcriber.session.processed)

        monkeypatch.setattr(transcriber, "feed", watched)
        await transcriber.feed_all(np.concatenate([SCRIPT.audio()] * 5))
        assert worst <= MAX_BACKLOG + samples(1)
        transcriber.close()


def _waiting(transcriber: Transcriber) -> list[Event]:
    """Take out what it has to tell at this moment."""
    events = []
    while not transcriber._events.empty():
        event = transcriber._events.get_nowait()
        assert event is not None
        assert not isinstance(event, Exception)
        events.append(event)
    return events
