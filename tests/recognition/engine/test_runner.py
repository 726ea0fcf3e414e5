from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from recognition.core.work import (
    ChunkDecoded,
    DecodeChunk,
    DetectSpeech,
    Embed,
    Embedded,
    EndDecoding,
    Failed,
    Preview,
    Previewed,
    Punctuate,
    Punctuated,
    Recognize,
    Recognized,
    Result,
    Segment,
    Segmented,
    SpeechProbabilities,
    Work,
)
from recognition.engine.runner import ModelRequest, ModelRunner, ModelStream, job_of, stage_of
from recognition.engine.scheduler import QueuedJob, Stage
from recognition.fakes.scripted import (
    Script,
    ScriptedEmbedder,
    ScriptedLine,
    ScriptedOffline,
    ScriptedPunctuator,
    ScriptedStreaming,
    scripted_models,
)
from recognition.interfaces import Samples, SessionContext, State, Token

CHUNK = np.zeros(9600, np.float32)  # 0.6 s


class TestQueueing:
    """From when on a job waits."""

    def setup_method(self) -> None:
        self.stream = ModelStream()

    def job(self, work: Work, at: float) -> QueuedJob[ModelRequest]:
        return job_of(ModelRequest(self.stream, work, _ignore), at)

    def test_a_job_waits_from_when_it_comes(self) -> None:
        job = self.job(DetectSpeech(CHUNK), 5.0)
        assert (job.stage, job.samples, job.queued_at) == (Stage.DETECT, 9600, 5.0)

    def test_each_stretch_to_embed_costs(self) -> None:
        windows = ((0, 24_000), (12_000, 36_000), (24_000, 48_000))
        job = self.job(Embed(0, np.zeros(48_000, np.float32), windows), 5.0)
        assert (job.stage, job.samples) == (Stage.EMBED, 72_000)

    def test_a_chunk_that_came_while_another_was_decoded_waits_from_when_its_turn_would_have_come(
        self,
    ) -> None:
        self.job(DecodeChunk(0, CHUNK), 5.0)
        late = self.job(DecodeChunk(0, CHUNK, has_waited=True), 8.0)
        later = self.job(DecodeChunk(0, CHUNK, has_waited=True), 8.5)
        assert late.queued_at == pytest.approx(5.6)
        assert later.queued_at == pytest.approx(6.2)

    def test_audio_that_comes_faster_than_it_was_spoken_makes_no_stream_late(self) -> None:
        self.job(DecodeChunk(0, CHUNK), 5.0)
        assert self.job(DecodeChunk(0, CHUNK, has_waited=True), 5.1).queued_at == 5.1

    def test_audio_that_comes_late_makes_no_stream_late(self) -> None:
        self.job(DecodeChunk(0, CHUNK), 5.0)
        assert self.job(DecodeChunk(0, CHUNK), 9.0).queued_at == 9.0

    def test_a_chunk_counts_what_was_heard_of_its_utterance_before(self) -> None:
        job = self.job(DecodeChunk(0, CHUNK, heard=48_000), 5.0)
        assert (job.samples, job.heard) == (9600, 57_600)
        assert self.job(Recognize(0, CHUNK), 5.0).heard == 0


def _ignore(result: Result) -> None:
    """Nobody waits for it."""


SCRIPT = Script(
    [ScriptedLine("大家好。", voice=0, seconds=2.0), ScriptedLine("好的。", voice=1, seconds=0.8)]
)


class TestBatch:
    """What a batch of each stage gives, in the order of its jobs."""

    def setup_method(self) -> None:
        self.models = scripted_models(SCRIPT)
        self.runner = ModelRunner(self.models)

    def run(self, *works: Work, streams: list[ModelStream] | None = None) -> list[Result]:
        streams = streams or [ModelStream() for _ in works]
        requests = [ModelRequest(stream, work, _ignore) for stream, work in zip(streams, works, strict=True)]
        return self.runner.run([job_of(request, 0.0) for request in requests])

    def open_states(self) -> int:
        assert isinstance(self.models.streaming, ScriptedStreaming)
        return self.models.streaming.open_states

    def test_detection_tells_speech_from_silence_stream_by_stream(self) -> None:
        loud, quiet = SCRIPT.speak(0)[:1600], np.zeros(1600, np.float32)
        found = self.run(DetectSpeech(loud), DetectSpeech(quiet), DetectSpeech(loud))
        heard = [result.values for result in found if isinstance(result, SpeechProbabilities)]
        assert [round(float(values.mean())) for values in heard] == [1, 0, 1]

    def test_decoding_goes_on_where_each_utterance_stands(self) -> None:
        streams = [ModelStream(), ModelStream()]
        chunk = SCRIPT.speak(0)[:9600]
        first = self.run(DecodeChunk(0, chunk), DecodeChunk(5, chunk), streams=streams)
        second = self.run(DecodeChunk(0, chunk), DecodeChunk(6, chunk), streams=streams)
        assert first == [ChunkDecoded(0, ("大",)), ChunkDecoded(5, ("大",))]
        assert second == [ChunkDecoded(0, ("家",)), ChunkDecoded(6, ("大",))]

    def test_recognisers_are_given_what_is_known_of_each_session(self) -> None:
        class Asks(ScriptedOffline):
            asked: tuple[str, ...] = ()

            def recognize(
                self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
            ) -> list[list[Token]]:
                self.asked += tuple(context.language for context in contexts)
                for context in contexts:
                    context.language = "zh"
                return super().recognize(batch)

        class AsksEarly(ScriptedStreaming):
            asked: tuple[str, ...] = ()

            def new_state(self, context: SessionContext | None = None) -> State:
                self.asked += (context.language if context else "nothing",)
                return super().new_state()

        offline, streaming = Asks(SCRIPT), AsksEarly(SCRIPT)
        self.runner = ModelRunner(replace(self.models, offline=offline, streaming=streaming))
        streams = [ModelStream(), ModelStream()]
        streams[1].context.language = "en"
        line = SCRIPT.speak(0)
        self.run(Preview(0, line), streams=streams[:1])
        self.run(Recognize(0, line), Recognize(0, line), streams=streams)
        self.run(DecodeChunk(1, CHUNK), streams=streams[1:])
        assert offline.asked == ("", "zh", "en")
        assert streaming.asked == ("zh",)

    def test_a_first_pass_that_revises_shows_its_tail(self) -> None:
        class Guesses(ScriptedStreaming):
            def tail(self, state: State) -> Sequence[str]:
                return ["?"] * state["said"]

        self.runner = ModelRunner(replace(self.models, streaming=Guesses(SCRIPT)))
        stream, chunk = ModelStream(), SCRIPT.speak(0)[:9600]
        assert self.run(DecodeChunk(0, chunk), streams=[stream]) == [ChunkDecoded(0, ("大",), ("?",))]
        assert self.run(DecodeChunk(0, chunk), streams=[stream]) == [ChunkDecoded(0, ("家",), ("?", "?"))]

    def test_recognition_gives_tokens_with_their_times(self) -> None:
        [result] = self.run(Recognize(4, SCRIPT.speak(1)))
        assert isinstance(result, Recognized)
        assert result.utterance == 4
        assert [token.text for token in result.tokens] == ["好", "的"]

    def test_a_preview_gives_the_words_alone(self) -> None:
        assert self.run(Preview(2, SCRIPT.speak(1))) == [Previewed(2, ("好", "的"))]

    def test_punctuation_gives_a_mark_for_each_token(self) -> None:
        assert self.run(Punctuate(1, ("好", "的")), Punctuate(2, ("不", "在"))) == [
            Punctuated(1, ("", "。")),
            Punctuated(2, ("", "")),
        ]

    def test_embedding_gives_a_row_for_each_span(self) -> None:
        [result] = self.run(Embed(3, SCRIPT.speak(0), ((0, 16_000), (8_000, 24_000))))
        assert isinstance(result, Embedded)
        assert result.embeddings.shape == (2, ScriptedEmbedder.dimension)

    def test_segmentation_gives_the_activity_in_each_window(self) -> None:
        self.runner = ModelRunner(replace(self.models, segmenter=Counts()))
        first, second = self.run(Segment(3, (0, 9600), CHUNK), Segment(4, (1600, 3200), CHUNK[:1600]))
        assert isinstance(first, Segmented)
        assert isinstance(second, Segmented)
        assert (first.utterance, first.window, first.activity.shape) == (3, (0, 9600), (9600, 1))
        assert (second.utterance, second.window, second.activity.shape) == (4, (1600, 3200), (1600, 1))

    def test_an_utterances_state_is_made_once_and_freed_once(self) -> None:
        stream = ModelStream()
        for _ in range(3):
            self.run(DecodeChunk(0, CHUNK), streams=[stream])
        assert self.open_states() == 1
        self.runner.end_decoding(stream, 0)
        self.runner.end_decoding(stream, 0)
        assert self.open_states() == 0

    def test_the_end_of_a_session_frees_all_of_it(self) -> None:
        stream = ModelStream()
        for utterance in range(3):
            self.run(DecodeChunk(utterance, CHUNK), streams=[stream])
        self.run(DetectSpeech(CHUNK[:1600]), streams=[stream])
        self.runner.release_decoding(stream)
        self.runner.release_detection(stream)
        assert self.open_states() == 0
        assert stream.vad is None

    def test_a_session_without_a_first_pass_is_released_as_well(self) -> None:
        runner = ModelRunner(replace(self.models, streaming=None, punctuator=None, embedder=None))
        stream = ModelStream()
        runner.end_decoding(stream, 0)
        runner.release_decoding(stream)

    def test_work_for_a_model_that_is_not_there_fails_and_ends_nothing(self) -> None:
        runner = ModelRunner(replace(self.models, streaming=None, punctuator=None, embedder=None))
        works: list[Work] = [
            DecodeChunk(0, CHUNK),
            Punctuate(0, ("好",)),
            Embed(0, CHUNK, ((0, 9600),)),
            Segment(0, (0, 9600), CHUNK),
        ]
        for work in works:
            job = job_of(ModelRequest(ModelStream(), work, _ignore), 0.0)
            assert runner.run([job]) == [Failed(work)]


class Counts:
    """A segmenter that answers a row for each sample."""

    model_id = "counts"
    window, frame, first, speakers = 9600, 1, 0, 1

    def segment(self, batch: Sequence[Samples]) -> list[np.ndarray]:
        return [np.ones((len(audio), 1), np.float32) for audio in batch]


class Fragile(ScriptedPunctuator):
    """Breaks at one word, and counts how often it is asked."""

    calls = 0

    def punctuate(self, batch: Sequence[Sequence[str]]) -> list[list[str]]:
        self.calls += 1
        if any("坏" in tokens for tokens in batch):
            raise RuntimeError("out of vocabulary")
        return super().punctuate(batch)


class TestBadInput:
    def run(self, *words: str) -> tuple[list[Result], int]:
        punctuator = Fragile(SCRIPT)
        runner = ModelRunner(replace(scripted_models(SCRIPT), punctuator=punctuator))
        works = [Punctuate(number, tuple(word)) for number, word in enumerate(words)]
        jobs = [job_of(ModelRequest(ModelStream(), work, _ignore), 0.0) for work in works]
        return runner.run(jobs), punctuator.calls

    def test_a_good_batch_is_asked_for_once(self) -> None:
        results, calls = self.run("好的", "好的")
        assert calls == 1
        assert results == [Punctuated(0, ("", "。")), Punctuated(1, ("", "。"))]

    def test_of_a_bad_batch_each_is_tried_alone(self) -> None:
        results, calls = self.run("好的", "坏", "好的")
        assert calls == 1 + 3
        assert results == [
            Punctuated(0, ("", "。")),
            Failed(Punctuate(1, ("坏",))),
            Punctuated(2, ("", "。")),
        ]

    def test_one_alone_is_not_tried_again(self) -> None:
        results, calls = self.run("坏")
        assert calls == 1
        assert results == [Failed(Punctuate(0, ("坏",)))]

    def test_what_was_wrong_is_in_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        self.run("坏")
        assert "a batch of 1 failed in PUNCTUATE" in caplog.text
        assert "out of vocabulary" in caplog.text

    def test_a_model_that_gives_too_few_results_fails_them_all(self) -> None:
        class Forgetful(ScriptedOffline):
            def recognize(
                self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
            ) -> list[list[Token]]:
                return super().recognize(batch)[:-1]

        runner = ModelRunner(replace(scripted_models(SCRIPT), offline=Forgetful(SCRIPT)))
        works = [Recognize(0, SCRIPT.speak(0)), Recognize(1, SCRIPT.speak(1))]
        jobs = [job_of(ModelRequest(ModelStream(), work, _ignore), 0.0) for work in works]
        assert runner.run(jobs) == [Failed(works[0]), Failed(works[1])]


class TestStages:
    @pytest.mark.parametrize(
        ("work", "stage", "size"),
        [
            (DetectSpeech(CHUNK), Stage.DETECT, 9600),
            (DecodeChunk(0, CHUNK), Stage.DECODE, 9600),
            (Preview(0, CHUNK), Stage.PREVIEW, 9600),
            (Recognize(0, CHUNK), Stage.RECOGNIZE, 9600),
            (Punctuate(0, ("好",) * 50), Stage.PUNCTUATE, 0),
            (Embed(0, CHUNK, ((0, 4000), (2000, 9600))), Stage.EMBED, 4000 + 7600),
            (Segment(0, (0, 9600), CHUNK), Stage.SEGMENT, 9600),
        ],
    )
    def test_each_kind_of_work_has_its_own_and_its_cost(self, work: Work, stage: Stage, size: int) -> None:
        assert stage_of(work) == (stage, size)

    def test_the_end_of_an_utterance_is_no_job(self) -> None:
        with pytest.raises(ValueError, match="EndDecoding is no job"):
            stage_of(EndDecoding(0))
