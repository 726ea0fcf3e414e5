"""espeak-ng speaks, in the voice that was asked for, and the same in every fresh process."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from training import synthesis
from training.synthesis import Manner, SynthesisError, Synthesizer, Voice

try:
    SPEAKER = Synthesizer()
except SynthesisError as exc:
    pytest.skip(str(exc), allow_module_level=True)

GREETING = "大家好，我们开始开会。"


def spoken_afresh(variant: str) -> np.ndarray:
    return Synthesizer().speak(GREETING, Voice(variant))


def spoken_by_made_voices(folder: Path, names: list[str]) -> list[np.ndarray]:
    speaker = Synthesizer(folder / "variants", folder / "espeak")
    return [speaker.speak(GREETING, Voice(name)) for name in [*names, "f2"]]


class TestPinyin:
    def test_tones_change_as_in_connected_speech(self) -> None:
        assert synthesis.pinyin("你好") == "ni2 hao3"
        assert synthesis.pinyin("不是一个") == "bu2 shi4 yi2 ge4"

    def test_words_decide_how_a_character_is_read(self) -> None:
        assert synthesis.pinyin("银行行长") == "yin2 hang2 hang2 zhang3"
        assert synthesis.pinyin("调一下目标的数字") == "tiao2 yi2 xia4 mu4 biao1 de5 shu4 zi4"

    def test_marks_become_pauses_and_hesitation_is_voiced(self) -> None:
        assert synthesis.pinyin("嗯，对。") == "en5 , dui4 ."


class TestVoice:
    def test_every_variant_of_every_list_exists(self) -> None:
        installed = {path.name for path in (synthesis.system_data() / "voices" / "!v").iterdir()}
        named = {
            *synthesis.TRAINING_VARIANTS,
            *synthesis.HELD_OUT_VARIANTS,
            *synthesis.SAMPLE_MEETING_VARIANTS,
        }

        assert named - installed == set()

    def test_no_variant_is_for_training_and_for_measuring(self) -> None:
        training = set(synthesis.TRAINING_VARIANTS)

        assert training & set(synthesis.HELD_OUT_VARIANTS) == set()
        assert training & set(synthesis.SAMPLE_MEETING_VARIANTS) == set()
        assert set(synthesis.HELD_OUT_VARIANTS) & set(synthesis.SAMPLE_MEETING_VARIANTS) == set()

    def test_an_unknown_variant_is_an_error_and_not_the_base_voice(self) -> None:
        with pytest.raises(SynthesisError, match="no voice variant 'nobody'"):
            SPEAKER.speak(GREETING, Voice("nobody"))

    def test_random_voices_repeat_with_their_seed(self) -> None:
        first, second = (synthesis.random_voice(Random(7), ["f1", "m1"]) for _ in range(2))

        assert first == second


class TestSpeech:
    def test_speech_is_float32_at_16_khz_and_of_the_length_of_speech(self) -> None:
        audio = SPEAKER.speak(GREETING, Voice("f2"))

        assert audio.dtype == np.float32
        assert 1.5 < len(audio) / 16_000 < 5
        assert float(np.sqrt(np.mean(audio**2))) > 0.02

    def test_a_higher_rate_is_shorter(self) -> None:
        slow, fast = (SPEAKER.speak(GREETING, Voice("m1"), Manner(rate)) for rate in (130, 230))

        assert len(slow) > 1.3 * len(fast)

    def test_the_resampling_factor_moves_the_length(self) -> None:
        long, short = (SPEAKER.speak(GREETING, Voice("m1", factor)) for factor in (0.9, 1.1))

        assert len(long) / len(short) == pytest.approx(1.1 / 0.9, abs=0.03)

    def test_a_higher_pitch_is_higher(self) -> None:
        low, high = (fundamental(SPEAKER.speak("啊", Voice("m1", pitch=p, pitch_range=0))) for p in (40, 75))

        assert high > 1.2 * low

    def test_nothing_to_say_is_silence(self) -> None:
        assert float(np.abs(SPEAKER.speak("", Voice("f2"))).max(initial=0.0)) == 0.0

    def test_fresh_processes_say_the_same(self) -> None:
        once, again = (synthesis.in_fresh_process(spoken_afresh, "f2") for _ in range(2))

        np.testing.assert_array_equal(once, again)


class TestMadeVariant:
    def test_the_same_seed_writes_the_same_variants(self, tmp_path: Path) -> None:
        first = synthesis.write_variants(tmp_path / "a", 5, seed=1)
        second = synthesis.write_variants(tmp_path / "b", 5, seed=1)

        assert first == second
        for name in first:
            assert (tmp_path / "a" / name).read_text() == (tmp_path / "b" / name).read_text()

    def test_made_variants_speak_beside_those_of_espeak_and_differ(self, tmp_path: Path) -> None:
        names = synthesis.write_variants(tmp_path / "variants", 4, seed=2)

        spoken = synthesis.in_fresh_process(spoken_by_made_voices, tmp_path, names)

        assert all(len(audio) > 16_000 for audio in spoken)
        assert len({audio[:16_000].tobytes() for audio in spoken}) == 5


def fundamental(audio: np.ndarray) -> float:
    """The pitch of a vowel in Hz, by autocorrelation of its middle."""
    middle = audio[len(audio) // 3 : len(audio) // 3 + 1600]
    correlation = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    lags = np.arange(16_000 // 400, 16_000 // 60)
    return 16_000 / float(lags[np.argmax(correlation[lags])])
