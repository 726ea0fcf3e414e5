"""Many streams on one core or one GPU, on a clock that only computing moves.

Audio arrives when its time has come on a simulated clock; whatever is computed is computed for real, and
the CPU time that it took moves the clock. So a machine that is shared with others shows the latencies of
one that is not (as far as CPU time itself does not depend on the neighbours: they share caches and memory
with us), and loads can be looked at that no machine could keep up with in real time.

Where a GPU computes, CPU time says little: there it is the wall clock that moves the simulated one.
Recognisers that run apart have a core of their own.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from recognition.audio import SAMPLE_RATE
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Event, Final, Partial
from recognition.core.session import SessionOptions, TranscriptionSession
from recognition.core.work import EndDecoding, Failed, Recognize, Result, Work
from recognition.engine.pace import is_full
from recognition.engine.runner import ModelRequest, ModelRunner, ModelStream, job_of
from recognition.engine.scheduler import QueuedJob, Scheduler, Stage, lanes, limits_for
from recognition.engine.transcriber import MAX_BACKLOG
from recognition.interfaces import Models

PACKET = SAMPLE_RATE // 10


@dataclass(slots=True)
class Report:
    """What was seen after the warm-up."""

    streams: int
    audio_s: float = 0.0
    """Of all streams together."""

    clock_s: float = 0.0
    busy_s: dict[str, float] = field(default_factory=dict)
    """CPU time by stage; "sessions" is what state machines and queues took."""

    batch_sizes: dict[str, list[int]] = field(default_factory=dict)
    partial_s: list[float] = field(default_factory=list)
    """From the end of the chunk that brought it."""

    first_partial_s: list[float] = field(default_factory=list)
    """From the moment at which somebody began to speak until the first words of the line."""

    final_s: list[float] = field(default_factory=list)
    """From the moment at which the pause was long enough to end the utterance."""

    final_after_speech_s: list[float] = field(default_factory=list)
    """From the end of speech: with the pause."""

    speech_s: float = 0.0
    """In the lines of all streams together."""

    uploaded_s: list[float] = field(default_factory=list)
    """Audio of each upload of which the lines are there."""

    dropped_partials: int = 0
    """Lines whose first pass was given up because it came too late."""

    backlog_s: float = 0.0
    """Audio that had arrived at the end and was not searched for speech."""

    @property
    def cost(self) -> float:
        """CPU seconds per second of audio of one stream."""
        return sum(self.busy_s.values()) / self.audio_s

    @property
    def utilisation(self) -> float:
        return sum(self.busy_s.values()) / self.clock_s


class Simulation:
    """`streams` streams, each playing the recordings from another place, at real time.

    Args:
        uploads: Streams besides, that send as fast as they are let; what is measured is of the others.
        clock: What computing takes, in seconds.
    """

    def __init__(
        self,
        models: Models,
        endpointing: EndpointingOptions,
        recordings: Sequence[np.ndarray],
        *,
        streams: int,
        uploads: int = 0,
        scheduler: Scheduler[ModelRequest] | None = None,
        clock: Callable[[], float] = time.process_time,
        seed: int = 0,
    ) -> None:
        self.now = 0.0
        self._clock = clock
        self.report = Report(streams)
        self._models = models
        self._runner = ModelRunner(models)
        self._scheduler = Scheduler[ModelRequest](limits_for(models)) if scheduler is None else scheduler
        self._lanes = [_Lane(stages) for stages in lanes(models)]
        rng = np.random.default_rng(seed)
        options = SessionOptions.for_models(models, endpointing)
        self._streams = [
            _Stream(self, options, recordings[n % len(recordings)], starts_at=rng.uniform(0, 1), rng=rng)
            for n in range(streams)
        ]
        self._uploads = [
            _Upload(self, options, recordings[n % len(recordings)], starts_at=0.0, rng=rng)
            for n in range(uploads)
        ]
        self._arrivals = [
            (stream.starts_at + PACKET / SAMPLE_RATE, n) for n, stream in enumerate(self._streams)
        ]
        heapq.heapify(self._arrivals)
        self._is_measuring = False

    def run(self, *, warm_up_s: float, measure_s: float) -> Report:
        self._run_until(warm_up_s)
        self._is_measuring = True
        started, position = self.now, sum(stream.session.position for stream in self._streams)
        uploaded = [(upload, upload.session.settled / SAMPLE_RATE) for upload in self._uploads]
        self._run_until(started + measure_s)
        heard = sum(stream.session.position for stream in self._streams) - position
        self.report.uploaded_s = [upload.session.settled / SAMPLE_RATE - at for upload, at in uploaded]
        self.report.audio_s = heard / SAMPLE_RATE
        self.report.clock_s = self.now - started
        self.report.backlog_s = max(
            (stream.session.position - stream.session.processed) / SAMPLE_RATE for stream in self._streams
        )
        return self.report

    def close(self) -> None:
        """Free what the models remember of its streams."""
        for stream in [*self._streams, *self._uploads]:
            self._runner.release_decoding(stream.models)
            self._runner.release_detection(stream.models)

    def _run_until(self, end: float) -> None:
        while self.now < end:
            self._receive_arrivals()
            self._give_up()
            if not self._work():
                self.now = max(self.now, min(self._waits()))

    def _work(self) -> bool:
        """Hand out what is done and begin what is due; return whether there was any."""
        done = [lane for lane in self._lanes if lane.batch and lane.free_at <= self.now]
        for lane in done:
            self._deliver(lane)
        begun = [lane for lane in self._lanes if not lane.batch and self._begin(lane)]
        return bool(done or begun)

    def _waits(self) -> Iterator[float]:
        """Yield the moments at which something happens next."""
        idle = [lane for lane in self._lanes if not lane.batch]
        yield from (lane.free_at for lane in self._lanes if lane.batch)
        if idle:  # otherwise there is no core left to receive anything
            yield self._arrivals[0][0]
        yield from (at for lane in idle if (at := self._scheduler.due_at(lane.stages)) is not None)

    def _receive_arrivals(self) -> None:
        while self._arrivals[0][0] <= self.now:
            at, number = heapq.heappop(self._arrivals)
            self._spend("sessions", self._streams[number].receive_packet)
            heapq.heappush(self._arrivals, (at + PACKET / SAMPLE_RATE, number))
        for upload in self._uploads:
            if upload.is_let(self.now):
                self._spend("sessions", upload.receive_packet)

    def _give_up(self) -> None:
        for job in self._scheduler.expired(self.now):
            # A preview that is given up takes no partials from its line.
            self.report.dropped_partials += self._is_measuring and job.stage is Stage.DECODE
            job.payload.deliver(Failed(job.payload.work))

    def _begin(self, lane: _Lane) -> bool:
        batch = self._scheduler.next_batch(self.now, lane.stages)
        if not batch:
            return False
        stage = batch[0].stage
        if self._is_measuring:
            self.report.batch_sizes.setdefault(stage.name, []).append(len(batch))
        results: list[Result] = []
        took = self._timed(stage.name, lambda: results.extend(self._runner.run(batch)))
        lane.batch, lane.results, lane.free_at = batch, results, self.now + took
        return True

    def _deliver(self, lane: _Lane) -> None:
        done, lane.batch = zip(lane.batch, lane.results, strict=True), []
        for job, result in done:
            self._spend("sessions", partial(job.payload.deliver, result))

    def _spend(self, name: str, do: Callable[[], None]) -> None:
        self.now += self._timed(name, do)

    def _timed(self, name: str, do: Callable[[], None]) -> float:
        started = self._clock()
        do()
        took = self._clock() - started
        if self._is_measuring:
            self.report.busy_s[name] = self.report.busy_s.get(name, 0.0) + took
        return took

    def submit(self, stream: _Stream, work: Work) -> None:
        if isinstance(work, EndDecoding):
            self._scheduler.discard(id(stream.models), [Stage.DECODE, Stage.PREVIEW])
            self._runner.end_decoding(stream.models, work.utterance)
            return
        self._scheduler.add(job_of(ModelRequest(stream.models, work, stream.deliver), self.now))

    def note_partial(self, waited_s: float) -> None:
        if self._is_measuring:
            self.report.partial_s.append(waited_s)

    def note_first_partial(self, after_onset_s: float) -> None:
        if self._is_measuring:
            self.report.first_partial_s.append(after_onset_s)

    def note_final(self, after_endpoint_s: float, after_speech_s: float, speech_s: float) -> None:
        if self._is_measuring:
            self.report.speech_s += speech_s
            self.report.final_s.append(after_endpoint_s)
            self.report.final_after_speech_s.append(after_speech_s)


@dataclass(slots=True)
class _Lane:
    """A core for stages that share a thread."""

    stages: Sequence[Stage]
    free_at: float = 0.0
    batch: list[QueuedJob[ModelRequest]] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)


class _Stream:
    """One sender and its session."""

    PACKET = PACKET

    def __init__(
        self,
        simulation: Simulation,
        options: SessionOptions,
        recording: np.ndarray,
        *,
        starts_at: float,
        rng: np.random.Generator,
    ) -> None:
        self.session = TranscriptionSession(options)
        self.models = ModelStream()
        self.starts_at = starts_at
        self._simulation = simulation
        self._recording = recording
        self._begins_at = int(rng.integers(0, len(recording) // PACKET)) * PACKET
        self._pre_roll = options.endpointing.pre_roll_ms * SAMPLE_RATE // 1000
        self._post_roll = options.endpointing.post_roll_ms * SAMPLE_RATE // 1000
        self._shown: int | None = None  # the utterance that had a partial last
        self._ended: dict[int, float] = {}  # when each closed utterance's end was found

    def receive_packet(self) -> None:
        at = (self._begins_at + self.session.position) % len(self._recording)
        packet = self._recording[at : at + self.PACKET]
        self.session.receive_audio(packet)
        self._advance()

    def deliver(self, result: Result) -> None:
        self.session.receive_result(result)
        self._advance()

    def _advance(self) -> None:
        for work in self.session.work_to_do():
            match work:
                case Recognize(index):
                    self._ended[index] = self._simulation.now
            self._simulation.submit(self, work)
        for event in self.session.events_to_send():
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case Partial(utterance, start, end=end):
                self._simulation.note_partial(self._since(end))
                if utterance != self._shown:
                    self._simulation.note_first_partial(self._since(start + self._pre_roll))
                self._shown = utterance
            case Final(index, start, end):
                after_endpoint = self._simulation.now - self._ended[index]  # may be one of several turns
                after_speech = self._since(end - self._post_roll)
                self._simulation.note_final(after_endpoint, after_speech, (end - start) / SAMPLE_RATE)

    def _since(self, position: int) -> float:
        """How long ago the audio up to this position had arrived."""
        packets = -(-position // PACKET)
        return self._simulation.now - (self.starts_at + packets * PACKET / SAMPLE_RATE)


class _Upload(_Stream):
    """A sender of a file, and its session."""

    PACKET = SAMPLE_RATE

    def is_let(self, now: float) -> bool:
        return not is_full(self.session, self.models.pace, backlog=MAX_BACKLOG, now=now)

    def _note(self, event: Event) -> None:
        """Keep its lines apart from those that somebody waits for."""
