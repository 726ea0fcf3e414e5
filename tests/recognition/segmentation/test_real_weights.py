"""The real segmentation-3.0: people of meetings, silence, noise; and 8 bits beside float."""

from __future__ import annotations

import functools
import itertools
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.speakers.diarization_error import Segment, read_rttm
from recognition.audio import SAMPLE_RATE, samples
from recognition.evaluation import recordings
from recognition.interfaces import Samples
from recognition.model_options import LoadContext
from recognition.model_sets.reading import read_model_set
from recognition.segmentation.int8.network import is_supported
from recognition.segmentation.segmenter import PyannoteSegmenter
from tests.support.people import spoken

ASSETS = os.environ.get("ASR_ASSETS")

needs_recordings = pytest.mark.skipif(not ASSETS, reason="ASR_ASSETS names no folder with recordings")
needs_8_bits = pytest.mark.skipif(not is_supported(), reason="this CPU has no AVX512-VNNI")

pytestmark = pytest.mark.slow(15)

HOP = samples(5.0)
HELD_OUT = ("tst00", "tst01", "sample")
"""Of meetings that it was not trained with."""


@pytest.fixture(scope="module")
def exact(people_models_dir: Path) -> PyannoteSegmenter:
    return load(people_models_dir, "float32")


@pytest.fixture(scope="module")
def segmenter(people_models_dir: Path) -> PyannoteSegmenter:
    """As this CPU computes by itself."""
    return load(people_models_dir, "auto")


def load(models_dir: Path, compute_type: str) -> PyannoteSegmenter:
    source = read_model_set("people").sources["segmentation"]
    segmenter = source.options.load(LoadContext(source.directory(models_dir) or Path(), compute_type, "cpu"))
    assert isinstance(segmenter, PyannoteSegmenter)
    return segmenter


@functools.cache
def excerpts() -> dict[str, tuple[Samples, list[Segment]]]:
    """Half a minute each of meetings, heard by a microphone on the table, and who speaks when."""
    folder = Path(ASSETS or "") / "speech" / "pyannote"
    turns = {name: found for file in sorted(folder.glob("*.rttm")) for name, found in read_rttm(file).items()}
    return {
        name: (recordings.read(folder / f"{name}.flac"), segments)
        for name, segments in turns.items()
        if (folder / f"{name}.flac").exists()
    }


def windows(audio: Samples, length: int = 160_000) -> list[Samples]:
    return [audio[start : start + length] for start in range(0, max(1, len(audio) - HOP), HOP)]


class Counted(NamedTuple):
    """Frames by how many speak, and how many are heard."""

    speech: int
    heard_speech: int
    silence: int
    heard_in_silence: int
    overlap: int
    heard_overlap: int
    said_overlap: int
    right: int
    frames: int


def count(segmenter: PyannoteSegmenter, audio: Samples, turns: list[Segment]) -> Counted:
    pieces = windows(audio)
    heard, true = [], []
    for number, activity in enumerate(segmenter.segment(pieces)):
        middles = segmenter.first + segmenter.frame * np.arange(len(activity))
        inside = middles < len(pieces[number])
        at = (middles[inside] + number * HOP) / SAMPLE_RATE
        heard.append((activity[inside] > 0.5).sum(axis=1))
        speaking = {turn.speaker: np.zeros(len(at), bool) for turn in turns}
        for turn in turns:
            speaking[turn.speaker] |= (turn.start <= at) & (at < turn.end)
        true.append(np.sum(list(speaking.values()), axis=0))
    found, truth = np.concatenate(heard), np.minimum(np.concatenate(true), 2)
    sums = [
        truth > 0,
        (truth > 0) & (found > 0),
        truth == 0,
        (truth == 0) & (found > 0),
        truth == 2,
        (truth == 2) & (found == 2),
        found == 2,
        truth == found,
        found >= 0,
    ]
    return Counted(*(int(each.sum()) for each in sums))


def total(counts: list[Counted]) -> Counted:
    return Counted(*(sum(each) for each in zip(*counts, strict=True)))


@pytest.fixture(scope="module")
def counts(segmenter: PyannoteSegmenter) -> dict[str, Counted]:
    return {name: count(segmenter, *excerpt) for name, excerpt in excerpts().items()}


@needs_recordings
class TestMeetings:
    """Windows of ten seconds, each five, each by itself."""

    def test_much_of_what_is_said_at_once_is_heard_and_nearly_nothing_else(
        self, counts: dict[str, Counted]
    ) -> None:
        assert len(counts) == 14
        found = total(list(counts.values()))
        assert found.heard_overlap / found.overlap == pytest.approx(0.42, abs=0.04)
        assert found.heard_overlap / found.said_overlap == pytest.approx(0.97, abs=0.03)

    def test_of_meetings_that_it_does_not_know_more(self, counts: dict[str, Counted]) -> None:
        found = total([counts[name] for name in HELD_OUT])
        assert found.heard_overlap / found.overlap == pytest.approx(0.545, abs=0.05)
        assert found.heard_overlap / found.said_overlap == pytest.approx(0.945, abs=0.04)

    def test_speech_is_rarely_missed(self, counts: dict[str, Counted]) -> None:
        found = total(list(counts.values()))
        assert found.heard_speech / found.speech > 0.88
        assert found.heard_in_silence / found.speech < 0.05

    def test_it_knows_how_many_speak(self, counts: dict[str, Counted]) -> None:
        found = total(list(counts.values()))
        assert found.right / found.frames > 0.83


class TestNobody:
    @pytest.mark.parametrize("compute_type", ["float32", "auto"])
    @pytest.mark.parametrize("length", [0, 1000, 48_000, 160_000])
    def test_silence_is_nobody(self, people_models_dir: Path, compute_type: str, length: int) -> None:
        [found] = load(people_models_dir, compute_type).segment([np.zeros(length, np.float32)])
        assert found.max() < 0.5

    @pytest.mark.parametrize("loudness", [1e-4, 0.01, 0.3])
    def test_noise_is_nobody(self, segmenter: PyannoteSegmenter, loudness: float) -> None:
        noise = np.random.default_rng(0).standard_normal(160_000).astype(np.float32)
        [found] = segmenter.segment([noise * np.float32(loudness)])
        assert (found > 0.5).any(axis=1).mean() < 0.02


class TestOnePerson:
    def test_is_heard_alone_where_she_speaks(self, segmenter: PyannoteSegmenter) -> None:
        audio = spoken(10.0)
        [found] = segmenter.segment([audio])
        active = found > 0.5
        assert active.any(axis=1).mean() > 0.4
        assert (active.sum(axis=1) > 1).mean() < 0.05

    def test_behind_her_short_window_nobody_speaks(self, segmenter: PyannoteSegmenter) -> None:
        audio = spoken(4.0)
        [found] = segmenter.segment([audio])
        last = (len(audio) - segmenter.first) // segmenter.frame
        assert (found[:last] > 0.5).any()
        assert not (found[last + 10 :] > 0.5).any()

    def test_her_loudness_does_not_matter(self, segmenter: PyannoteSegmenter) -> None:
        soft, loud = segmenter.segment([spoken(10.0) * np.float32(gain) for gain in (0.05, 1.0)])
        assert ((soft > 0.5) == (loud > 0.5)).all(axis=1).mean() > 0.98


@needs_recordings
class TestTwoPeople:
    def test_who_are_mixed_are_heard_at_once(self, segmenter: PyannoteSegmenter) -> None:
        people = recordings.by_speaker(
            recordings.listed(Path(ASSETS or ""), under="speech/librispeech_test_other")
        )
        (one, *_), (other, *_) = itertools.islice(people.values(), 2)
        first = recordings.read(one)[: samples(8.0)]
        second = np.zeros(samples(10.0), np.float32)
        spoken_later = recordings.read(other)[: samples(4.0)]
        second[samples(3.0) : samples(3.0) + len(spoken_later)] = spoken_later
        mixed = second.copy()
        mixed[: len(first)] += first
        [alone], [both] = (segmenter.segment([audio]) for audio in (np.pad(first, (0, 32_000)), mixed))
        assert (alone > 0.5).sum(axis=1).max() == 1
        rows = slice(samples(3.5) // segmenter.frame, samples(6.0) // segmenter.frame)
        assert ((both[rows] > 0.5).sum(axis=1) == 2).mean() > 0.5


@needs_8_bits
class TestEightBits:
    @needs_recordings
    @pytest.mark.parametrize("group", ["pyannote", "aishell3", "librispeech_test_other", "zh_asr"])
    def test_decide_as_float_does(
        self, exact: PyannoteSegmenter, segmenter: PyannoteSegmenter, group: str
    ) -> None:
        found = [agreement(exact, segmenter, audio) for audio in recorded(group)]
        assert np.mean(np.concatenate(found)) >= 0.99

    def test_a_batch_equals_its_windows_to_the_bit(self, segmenter: PyannoteSegmenter) -> None:
        audio = spoken(24.0)
        batch = [*windows(audio), audio[:50_000]]
        together = segmenter.segment(batch)
        for one, window in zip(together, batch, strict=True):
            np.testing.assert_array_equal(one, segmenter.segment([window])[0])


def recorded(group: str) -> list[Samples]:
    if group == "pyannote":
        return [excerpts()[name][0] for name in (*HELD_OUT, "dev01")]
    files = sorted((Path(ASSETS or "") / "speech" / group).glob("*.flac"))
    joined = np.concatenate([recordings.read(file) for file in files[::4]])
    return [joined[: samples(40)]]


def agreement(exact: PyannoteSegmenter, other: PyannoteSegmenter, audio: Samples) -> np.ndarray:
    """Return for each frame whether all decisions are the same."""
    pieces = [audio[start : start + 160_000] for start in range(0, len(audio) - HOP, 160_000)]
    expected, found = (np.concatenate(each.segment(pieces)) > 0.5 for each in (exact, other))
    same: np.ndarray = (expected == found).all(axis=1)
    return same
