from __future__ import annotations

import functools
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import yaml

from recognition.core.endpointing import Endpointer, EndpointingOptions
from recognition.exceptions import ModelError
from recognition.funasr.int8 import fsmn
from recognition.funasr.loading import open_directory
from recognition.funasr.precision import Precision
from recognition.funasr.vad import FsmnDetector, SileroDetector
from recognition.interfaces import VoiceActivityDetector

from .random_models import auto_model, model_directory, model_path, speech_like

ASSETS = os.environ.get("ASR_ASSETS")

# What FunASR's own test expects of its recording `vad_example.wav`, in milliseconds.
KNOWN_SEGMENTS = [
    (70, 2340),
    (2620, 6200),
    (6480, 23670),
    (23950, 26250),
    (26780, 28990),
    (29950, 31430),
    (31750, 37600),
    (38210, 46900),
    (47310, 49630),
    (49910, 56460),
    (56740, 59540),
    (59820, 70450),
]


def speech_and_pauses(seed: int, length: int = 8 * 16_000) -> np.ndarray:
    audio = speech_like(seed, length).copy()
    audio[3 * 16_000 : 5 * 16_000] *= np.float32(1e-3)
    return audio


def windows(audio: np.ndarray, window: int) -> list[np.ndarray]:
    """Whole windows; the last one filled up with silence."""
    padded = np.concatenate((audio, np.zeros(-len(audio) % window, np.float32)))
    return list(padded.reshape(-1, window))


def probabilities(detector: VoiceActivityDetector, audio: np.ndarray) -> np.ndarray:
    state = detector.new_state()
    return np.concatenate([detector.detect([(state, w)])[0] for w in windows(audio, detector.window)])


class SharedTests:
    """What both detectors promise."""

    detector: VoiceActivityDetector

    def test_a_window_gives_one_probability_per_frame(self) -> None:
        audio = speech_like(0, self.detector.window)

        found = self.detector.detect([(self.detector.new_state(), audio)])

        assert found[0].shape == (self.detector.window // self.detector.frame,)
        assert found[0].dtype == np.float32

    def test_streams_in_a_batch_do_not_touch_each_other(self) -> None:
        audio = [windows(speech_and_pauses(seed), self.detector.window) for seed in range(3)]
        expected = [probabilities(self.detector, speech_and_pauses(seed)) for seed in range(3)]

        states = [self.detector.new_state() for _ in range(3)]
        found: list[list[np.ndarray]] = [[], [], []]
        for step in range(len(audio[0]) + 4):
            # The second stream joins later, the third later still.
            batch = [(n, step - 2 * n) for n in range(3) if 0 <= step - 2 * n < len(audio[n])]
            values = self.detector.detect([(states[n], audio[n][at]) for n, at in batch])
            for (n, _), value in zip(batch, values, strict=True):
                found[n].append(value)

        for n in range(3):
            np.testing.assert_allclose(np.concatenate(found[n]), expected[n], atol=1e-5)

    def test_a_window_of_another_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match=f"a window has {self.detector.window} samples"):
            self.detector.detect([(self.detector.new_state(), np.zeros(7, np.float32))])

    def test_an_empty_batch_is_no_work(self) -> None:
        assert self.detector.detect([]) == []

    def test_digital_silence_is_no_speech(self) -> None:
        found = probabilities(self.detector, np.zeros(3 * 16_000, np.float32))

        assert found.max() < 0.5


class TestSilero(SharedTests):
    detector = SileroDetector()

    def test_equals_the_package_on_every_frame(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from silero_vad import load_silero_vad

            package = load_silero_vad()
        audio = speech_and_pauses(1)

        found = probabilities(self.detector, audio)

        expected = [
            package(torch.from_numpy(frame.copy()), 16_000).item()
            for window in windows(audio, self.detector.window)
            for frame in window.reshape(-1, 512)
        ]
        np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_the_length_of_a_window_changes_nothing(self) -> None:
        audio = speech_and_pauses(2)[: 16_000 * 6 // 3072 * 3072]

        np.testing.assert_allclose(
            probabilities(SileroDetector(frames=2), audio), probabilities(self.detector, audio), atol=1e-5
        )

    @pytest.mark.skipif(not ASSETS, reason="ASR_ASSETS names no folder with recordings")
    def test_hears_people_speak(self) -> None:
        audio = vad_example()

        found = probabilities(self.detector, audio)

        speech = np.zeros(len(found), bool)
        for start, end in KNOWN_SEGMENTS:
            speech[start // 32 : end // 32] = True
        heard = found >= 0.5
        assert speech[heard].mean() > 0.95
        assert heard[speech].mean() > 0.7  # segments hold short pauses, which it leaves out


class TestFsmn(SharedTests):
    detector = FsmnDetector(model_directory("fsmn-vad"))

    def test_probabilities_are_funasrs_scores_some_frames_later(self) -> None:
        audio = speech_and_pauses(3)

        found = probabilities(self.detector, audio)

        lag = self.detector.delay // self.detector.frame
        expected = funasr_probabilities(audio)
        assert found[:lag].tolist() == [0] * lag
        np.testing.assert_allclose(found[lag : lag + len(expected)], expected, atol=1e-4)
        assert found.max() > 0.9

    def test_the_length_of_a_window_changes_nothing(self) -> None:
        audio = speech_and_pauses(2)[: 9600 * 12]

        np.testing.assert_allclose(
            probabilities(FsmnDetector(model_directory("fsmn-vad"), frames=60), audio),
            probabilities(self.detector, audio),
            atol=1e-5,
        )

    def test_an_hour_keeps_as_much_as_a_second(self) -> None:
        state = self.detector.new_state()
        for window in windows(speech_and_pauses(0), self.detector.window):
            self.detector.detect([(state, window)])

        kept = [state.samples, state.frames, state.memory]
        assert sum(t.untyped_storage().nbytes() for t in kept) == sum(t.nbytes for t in kept)

    def test_another_network_in_the_directory_is_refused(self) -> None:
        with pytest.raises(ModelError, match="holds a CAMPPlus; supported here: FsmnVADStreaming"):
            FsmnDetector(model_directory("cam++"))


@pytest.mark.skipif(not fsmn.is_supported(), reason="this CPU has no registers of 512 bits")
class TestCompiledFsmn(TestFsmn):
    detector = FsmnDetector(model_directory("fsmn-vad"), precision=Precision("int8"))

    def test_it_is_the_compiled_network(self) -> None:
        assert isinstance(self.detector._network, fsmn.CompiledFsmn)


class TestEnergy:
    @pytest.fixture
    def detector(self, tmp_path: Path) -> Callable[..., FsmnDetector]:
        """The same network, with conditions on loudness."""

        def with_options(**options: float) -> FsmnDetector:
            path = tmp_path / str(options)
            shutil.copytree(model_path("fsmn-vad"), path)
            config = yaml.safe_load((path / "config.yaml").read_text())
            config["model_conf"] |= options
            (path / "config.yaml").write_text(yaml.safe_dump(config))
            return FsmnDetector(open_directory(path))

        return with_options

    def test_frames_below_the_loudness_asked_for_are_no_speech(
        self, detector: Callable[..., FsmnDetector]
    ) -> None:
        audio = speech_and_pauses(3)

        found = probabilities(detector(decibel_thres=5.0), audio)

        plain = probabilities(TestFsmn.detector, audio)
        assert (found > 0.8).sum() < (plain > 0.8).sum()
        assert ((found == plain) | (found == 0)).all()

    def test_speech_must_stand_out_from_the_noise_by_what_is_asked_for(
        self, detector: Callable[..., FsmnDetector]
    ) -> None:
        audio = speech_and_pauses(3)

        strict = probabilities(detector(snr_thres=60.0), audio)
        lax = probabilities(detector(snr_thres=-20.0), audio)

        np.testing.assert_array_equal(lax, probabilities(TestFsmn.detector, audio))
        assert (strict > 0.8).sum() < (lax > 0.8).sum()


@pytest.mark.skipif(not ASSETS, reason="ASR_ASSETS names no folder with recordings and weights")
class TestRealNetwork:
    """The published FSMN-VAD and our endpointer find the segments that FunASR's own test expects."""

    precision = Precision()

    def find_segments(self, frames: int) -> list[tuple[int, int]]:
        weights = Path(ASSETS or "") / "weights" / "speech_fsmn_vad_zh-cn-16k-common-pytorch"
        detector = FsmnDetector(open_directory(weights), frames=frames, precision=self.precision)
        options = EndpointingOptions(threshold=0.8, long_utterance_ms=60_000, longest_utterance_ms=60_000)
        endpointer = Endpointer(options, frame=detector.frame, start=-detector.delay)
        audio = vad_example()
        whole_frames = (len(audio) - 400) // 160 + 1
        found = probabilities(detector, np.concatenate((audio, np.zeros(detector.window, np.float32))))
        found = found[: whole_frames + detector.delay // 160]
        boundaries = [*endpointer.receive(found), *endpointer.receive_end()]
        edges = [boundary.at // 16 for boundary in boundaries]
        return list(zip(edges[::2], edges[1::2], strict=True))

    def test_windows_of_200_ms_give_the_known_segments(self) -> None:
        assert self.find_segments(20) == KNOWN_SEGMENTS

    def test_windows_of_600_ms_give_the_known_segments(self) -> None:
        assert self.find_segments(60) == KNOWN_SEGMENTS


@pytest.mark.skipif(not fsmn.is_supported(), reason="this CPU has no registers of 512 bits")
class TestCompiledRealNetwork(TestRealNetwork):
    precision = Precision("int8")


@functools.cache
def vad_example() -> np.ndarray:
    path = Path(ASSETS or "") / "speech" / "zh_asr" / "vad_example.flac"
    audio, rate = soundfile.read(path, dtype="float32")
    assert rate == 16_000
    return np.asarray(audio)


def funasr_probabilities(audio: np.ndarray) -> np.ndarray:
    """Scores of FunASR's own front end and network over the whole recording, chunk by chunk."""
    model = auto_model(model_path("fsmn-vad"))
    frontend, scores = model.kwargs["frontend"], []
    cache: dict[str, Any] = {}
    memory: dict[str, torch.Tensor] = {}
    for window in windows(audio, 3200):
        features, _ = frontend(torch.from_numpy(window)[None], [3200], cache=cache, is_final=False)
        with torch.inference_mode():
            scores.append(1 - model.model.encoder(features, cache=memory)[0, :, 0])
    return torch.cat(scores).numpy()
