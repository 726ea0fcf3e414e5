"""The models' thread: a batch of one stage goes in, results come out. No asyncio.

It owns every model state; nothing else touches a model, because FunASR's are not safe to share, and
because one thread per core is fastest. Where recognisers have a thread of their own, what `RECOGNISERS` use
is that thread's, and the rest the other's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, assert_never

from recognition.audio import seconds
from recognition.core.work import (
    ChunkDecoded,
    DecodeChunk,
    DetectSpeech,
    Embed,
    Embedded,
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
from recognition.hotwords import Hotwords
from recognition.interfaces import (
    Models,
    RevisingRecognizer,
    SessionContext,
    State,
    StreamingRecognizer,
    Token,
)

from .pace import Pace
from .scheduler import QueuedJob, Stage

logger = logging.getLogger(__name__)


class ModelStream:
    """Memory of the models for one session.

    `decoding` and `context` are of the thread that recognises, `vad` is of the one that detects speech.
    """

    def __init__(self, pace: Pace | None = None, hotwords: Hotwords | None = None) -> None:
        self.vad: State = None
        self.decoding: dict[int, State] = {}
        self.context = SessionContext(hotwords=hotwords)
        self.is_open = True
        self.chunk_queued_at = 0.0
        self.pace = pace or Pace()


class ModelRequest(NamedTuple):
    """A job's payload: the work, whose it is, and who waits for the result."""

    stream: ModelStream
    work: Work
    deliver: Callable[[Result], None]


class ModelRunner:
    """Runs batches on one model set."""

    def __init__(self, models: Models) -> None:
        self.models = models

    def run(self, batch: Sequence[QueuedJob[ModelRequest]]) -> list[Result]:
        """One result per job, `Failed` where the models raise; never raises itself."""
        requests = [job.payload for job in batch]
        try:
            return self._run_stage(batch[0].stage, requests)
        except Exception:  # whatever a model raises must reach everyone who waits
            logger.exception("a batch of %d failed in %s", len(batch), batch[0].stage.name)
        if len(batch) == 1:
            return [Failed(requests[0].work)]
        # One bad input must not cost the others their results.
        return [self.run([job])[0] for job in batch]

    def end_decoding(self, stream: ModelStream, utterance: int) -> None:
        """Free the first pass's state of an utterance."""
        state = stream.decoding.pop(utterance, None)
        if state is not None and self.models.streaming:
            self.models.streaming.release(state)

    def release_decoding(self, stream: ModelStream) -> None:
        """Free what the recognisers know of a session."""
        for utterance in list(stream.decoding):
            self.end_decoding(stream, utterance)

    def release_detection(self, stream: ModelStream) -> None:
        """Free what the detector knows of a session."""
        stream.vad = None

    def _run_stage(self, stage: Stage, requests: Sequence[ModelRequest]) -> list[Result]:
        match stage:
            case Stage.DETECT:
                return self._detect(requests)
            case Stage.DECODE:
                return self._decode(requests)
            case Stage.RECOGNIZE:
                return self._recognize(requests)
            case Stage.PREVIEW:
                return self._preview(requests)
            case Stage.PUNCTUATE:
                return self._punctuate(requests)
            case Stage.EMBED:
                return self._embed(requests)
            case Stage.SEGMENT:
                return self._segment(requests)
            case _:
                assert_never(stage)

    def _detect(self, requests: Sequence[ModelRequest]) -> list[Result]:
        batch = []
        for stream, work, _ in requests:
            assert isinstance(work, DetectSpeech)
            if work.is_first or stream.vad is None:
                stream.vad = self.models.vad.new_state()
            batch.append((stream.vad, work.audio))
        return [SpeechProbabilities(values) for values in self.models.vad.detect(batch)]

    def _decode(self, requests: Sequence[ModelRequest]) -> list[Result]:
        streaming = self.models.streaming
        assert streaming
        batch, utterances = [], []
        for stream, work, _ in requests:
            assert isinstance(work, DecodeChunk)
            if work.utterance not in stream.decoding:
                stream.decoding[work.utterance] = streaming.new_state(stream.context)
            batch.append((stream.decoding[work.utterance], work.audio))
            utterances.append(work.utterance)
        decoded = streaming.decode(batch)
        tails = [_tail(streaming, state) for state, _ in batch]
        return [
            ChunkDecoded(utterance, tuple(tokens), tail)
            for utterance, tokens, tail in zip(utterances, decoded, tails, strict=True)
        ]

    def _recognize(self, requests: Sequence[ModelRequest]) -> list[Result]:
        works = [request.work for request in requests if isinstance(request.work, Recognize)]
        recognized = self._tokens(requests)
        return [Recognized(w.utterance, tuple(tokens)) for w, tokens in zip(works, recognized, strict=True)]

    def _preview(self, requests: Sequence[ModelRequest]) -> list[Result]:
        works = [request.work for request in requests if isinstance(request.work, Preview)]
        recognized = self._tokens(requests)
        return [
            Previewed(work.utterance, tuple(token.text for token in tokens))
            for work, tokens in zip(works, recognized, strict=True)
        ]

    def _tokens(self, requests: Sequence[ModelRequest]) -> list[list[Token]]:
        works = [request.work for request in requests if isinstance(request.work, Recognize | Preview)]
        contexts = [request.stream.context for request in requests]
        return self.models.offline.recognize([work.audio for work in works], contexts)

    def _punctuate(self, requests: Sequence[ModelRequest]) -> list[Result]:
        assert self.models.punctuator
        works = [request.work for request in requests if isinstance(request.work, Punctuate)]
        marks = self.models.punctuator.punctuate([work.tokens for work in works])
        return [Punctuated(w.utterance, tuple(m)) for w, m in zip(works, marks, strict=True)]

    def _embed(self, requests: Sequence[ModelRequest]) -> list[Result]:
        assert self.models.embedder
        works = [request.work for request in requests if isinstance(request.work, Embed)]
        found = self.models.embedder.embed([(work.audio, work.spans) for work in works])
        return [Embedded(w.utterance, embeddings) for w, embeddings in zip(works, found, strict=True)]

    def _segment(self, requests: Sequence[ModelRequest]) -> list[Result]:
        assert self.models.segmenter
        works = [request.work for request in requests if isinstance(request.work, Segment)]
        found = self.models.segmenter.segment([work.audio for work in works])
        return [Segmented(w.utterance, w.window, activity) for w, activity in zip(works, found, strict=True)]


def _tail(streaming: StreamingRecognizer, state: State) -> tuple[str, ...]:
    return tuple(streaming.tail(state)) if isinstance(streaming, RevisingRecognizer) else ()


def job_of(request: ModelRequest, now: float) -> QueuedJob[ModelRequest]:
    """Return the job to queue for a request that comes at this moment."""
    stage, samples = stage_of(request.work)
    stream, queued_at, heard = request.stream, now, 0
    if isinstance(request.work, DecodeChunk):
        # A stream that falls behind waits from when its turn would have come, or its lag would go unseen.
        if request.work.has_waited:
            queued_at = min(now, stream.chunk_queued_at + seconds(samples))
        stream.chunk_queued_at = queued_at
        heard = request.work.heard + samples
    if stage is Stage.DETECT:
        stream.pace.receive(samples, now)
    yields = stream.pace.is_ahead(now)
    return QueuedJob(stage, id(stream), samples, queued_at, request, heard, yields)


def stage_of(work: Work) -> tuple[Stage, int]:
    """The stage that does this work, and the samples that it costs."""
    match work:
        case DetectSpeech(audio):
            return Stage.DETECT, len(audio)
        case DecodeChunk(_, audio):
            return Stage.DECODE, len(audio)
        case Preview(_, audio):
            return Stage.PREVIEW, len(audio)
        case Recognize(_, audio):
            return Stage.RECOGNIZE, len(audio)
        case Embed(_, _, spans):
            return Stage.EMBED, sum(end - start for start, end in spans)
        case Segment(_, _, audio):
            return Stage.SEGMENT, len(audio)
        case Punctuate():
            return Stage.PUNCTUATE, 0
        case _:
            raise ValueError(f"{type(work).__name__} is no job")
