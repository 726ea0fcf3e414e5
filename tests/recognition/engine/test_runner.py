from __future__ import annotations

import numpy as np
import pytest

from recognition.core.work import DecodeChunk, DetectSpeech, Embed, Result, Work
from recognition.engine.runner import ModelRequest, ModelStream, job_of
from recognition.engine.scheduler import QueuedJob, Stage

CHUNK = np.zeros(9600, np.float32)  # 0.6 s


class TestQueueing:
    """From when on a job waits."""

    def setup_method(self):
        self.stream = ModelStream()

    def job(self, work: Work, at: float) -> QueuedJob[ModelRequest]:
        return job_of(ModelRequest(self.stream, work, _ignore), at)

    def test_a_job_waits_from_when_it_comes(self):
        job = self.job(DetectSpeech(CHUNK), 5.0)
        assert (job.stage, job.samples, job.queued_at) == (Stage.DETECT, 9600, 5.0)

    def test_each_stretch_to_embed_costs(self):
        windows = ((0, 24_000), (12_000, 36_000), (24_000, 48_000))
        job = self.job(Embed(0, np.zeros(48_000, np.float32), windows), 5.0)
        assert (job.stage, job.samples) == (Stage.EMBED, 72_000)

    def test_a_chunk_that_came_while_another_was_decoded_waits_from_when_its_turn_would_have_come(self):
        self.job(DecodeChunk(0, CHUNK), 5.0)
        late = self.job(DecodeChunk(0, CHUNK, has_waited=True), 8.0)
        later = self.job(DecodeChunk(0, CHUNK, has_waited=True), 8.5)
        assert late.queued_at == pytest.approx(5.6)
        assert later.queued_at == pytest.approx(6.2)

    def test_audio_that_comes_faster_than_it_was_spoken_makes_no_stream_late(self):
        self.job(DecodeChunk(0, CHUNK), 5.0)
        assert self.job(DecodeChunk(0, CHUNK, has_waited=True), 5.1).queued_at == 5.1

    def test_audio_that_comes_late_makes_no_stream_late(self):
        self.job(DecodeChunk(0, CHUNK), 5.0)
        assert self.job(DecodeChunk(0, CHUNK), 9.0).queued_at == 9.0


def _ignore(result: Result) -> None:
    """Nobody waits for it."""
