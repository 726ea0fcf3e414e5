"""The features are Kaldi's, frame for frame, and FunASR's own front ends agree."""

from pathlib import Path

import kaldi_native_fbank
import numpy as np
import pytest
import torch

from recognition.funasr import features
from recognition.funasr.loading import lean_import

with lean_import():
    from funasr.frontends import wav_frontend
    from funasr.models.campplus import utils as campplus


def speechlike(samples: int, seed: int = 0) -> np.ndarray:
    """A voiced sound under a slow envelope in a little noise: peaks, valleys and near silence."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / 16_000
    voice = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 40))
    envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time)
    return (0.1 * voice * envelope + 1e-3 * rng.standard_normal(samples)).astype(np.float32)


def kaldi_fbank(audio: np.ndarray, window: str) -> np.ndarray:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = window
    options.mel_opts.num_bins = 80
    online = kaldi_native_fbank.OnlineFbank(options)
    online.accept_waveform(16_000, audio.tolist())
    online.input_finished()
    return np.stack([online.get_frame(i) for i in range(online.num_frames_ready)])


class TestFbank:
    def test_equals_kaldi_in_the_scale_of_recognisers(self) -> None:
        audio = speechlike(16_000) * 32768

        ours = features.fbank(torch.from_numpy(audio)[None])[0].numpy()

        np.testing.assert_allclose(ours, kaldi_fbank(audio, "hamming"), atol=2e-4)

    def test_equals_kaldi_in_the_scale_of_speaker_models(self) -> None:
        audio = speechlike(16_000)

        ours = features.fbank(torch.from_numpy(audio)[None], window="povey")[0].numpy()

        np.testing.assert_allclose(ours, kaldi_fbank(audio, "povey"), atol=2e-4)

    def test_silence_is_the_floor_and_finite(self) -> None:
        frames = features.fbank(torch.zeros(1, 1600))

        assert torch.allclose(frames, torch.tensor(2.0**-23).log())

    def test_rows_of_a_batch_do_not_touch_each_other(self) -> None:
        rows = torch.from_numpy(np.stack([speechlike(8000, seed) for seed in range(3)]))

        together = features.fbank(rows)

        for row, alone in zip(together, rows, strict=True):
            torch.testing.assert_close(row, features.fbank(alone[None])[0])

    @pytest.mark.parametrize(
        ("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16_000, 98)]
    )
    def test_a_frame_needs_all_its_samples(self, samples: int, frames: int) -> None:
        assert features.frame_count(samples) == frames
        assert features.fbank(torch.zeros(2, samples)).shape == (2, frames, 80)

    def test_other_shapes_and_types_are_refused_with_what_they_were(self) -> None:
        with pytest.raises(ValueError, match=r"not torch.float64 \(1, 400\)"):
            features.fbank(torch.zeros(1, 400, dtype=torch.float64))
        with pytest.raises(ValueError, match=r"not torch.float32 \(400,\)"):
            features.fbank(torch.zeros(400))


class TestStack:
    @pytest.mark.parametrize("length", range(1, 40))
    def test_equals_funasr_for_every_length(self, length: int) -> None:
        frames = torch.randn(length, 80)
        theirs = wav_frontend.apply_lfr(frames, 7, 6)

        ours = features.stack_frames(frames[None], torch.tensor([length]))[0]

        assert features.stacked_count(length) == len(theirs)
        torch.testing.assert_close(ours, theirs)

    def test_padding_after_a_row_is_ignored(self) -> None:
        frames = torch.randn(2, 30, 80)
        lengths = torch.tensor([30, 13])

        stacked = features.stack_frames(frames, lengths)

        alone = features.stack_frames(frames[1:, :13], lengths[1:])
        torch.testing.assert_close(stacked[1, :3], alone[0])


class TestFrontend:
    """The whole way from samples to the network's input, against FunASR's."""

    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path) -> None:
        self.path = tmp_path / "am.mvn"
        self.cmvn = features.Cmvn(torch.randn(560), torch.rand(560) + 0.5)
        features.write_cmvn(self.path, self.cmvn)

    def test_equals_the_front_end_of_paraformer(self) -> None:
        audio = torch.from_numpy(speechlike(20_000))
        frontend = wav_frontend.WavFrontend(cmvn_file=str(self.path), lfr_m=7, lfr_n=6, dither=0.0)
        theirs, _ = frontend(audio[None], torch.tensor([len(audio)]))

        frames = features.recognizer_frames(audio[None])
        stacked = features.stack_frames(frames, torch.tensor([frames.shape[1]]))
        ours = features.load_cmvn(self.path)(stacked)

        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=0)

    def test_equals_the_features_of_campplus(self) -> None:
        audio = torch.from_numpy(speechlike(20_000))
        theirs, _, _ = campplus.extract_feature([audio])

        ours = features.speaker_features(audio[None])

        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=0)

    def test_funasr_reads_the_normalisation_that_we_write(self) -> None:
        theirs = wav_frontend.load_cmvn(str(self.path))

        torch.testing.assert_close(theirs[0], self.cmvn.shift, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(theirs[1], self.cmvn.scale, atol=1e-5, rtol=1e-5)

    def test_a_file_without_normalisation_is_an_error_that_names_it(self) -> None:
        self.path.write_text("<Nnet>\n</Nnet>\n")

        with pytest.raises(ValueError, match=r"am.mvn holds no mean and variance normalisation"):
            features.load_cmvn(self.path)

    def test_shift_and_scale_of_different_length_are_an_error(self) -> None:
        self.path.write_text("<AddShift> 2 2\n<LearnRateCoef> 0 [ 1 2 ]\n<Rescale> 1 1\n[ 3 ]\n")

        with pytest.raises(ValueError, match="<AddShift> has 2 values and <Rescale> 1"):
            features.load_cmvn(self.path)
