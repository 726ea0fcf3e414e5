"""A whole recording, heard by scripted models: where there is speech, whose, and in which pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest

from recognition.audio import SAMPLE_RATE, samples
from recognition.engine.engine import Engine
from recognition.fakes.scripted import Script, ScriptedEmbedder, ScriptedLine
from speakers import listening
from speakers.exceptions import JobFailed
from speakers.listening import Recording
from speakers.voiceprints.trials import LENGTHS_S

SCRIPT = Script([ScriptedLine("你好。", 0, 7.0), ScriptedLine("再见。", 3, 2.0)])
SILENCE = np.zeros(SAMPLE_RATE, np.float32)


def said(*lines: int) -> np.ndarray:
    return np.concatenate([SILENCE, *[SCRIPT.speak(line, pause_s=1.0) for line in lines]]).astype(np.float32)


async def recordings(*rows: Recording) -> AsyncIterator[Recording]:
    for row in rows:
        yield row


class TestListen:
    async def test_speech_is_found_without_its_pauses(self, engine: Engine) -> None:
        heard = await listening.listen(engine, said(0, 1))

        assert heard.sound.speech_s == pytest.approx(9.0, abs=0.1)
        assert sum(map(len, heard.spans)) == pytest.approx(samples(9.4), abs=samples(0.1))
        assert len(heard.spans) == len(heard.embeddings) == len(heard.seconds) == 3

    async def test_the_voice_is_that_of_who_speaks(self, engine: Engine) -> None:
        for line, axis in ((0, 0), (1, 3)):
            heard = await listening.listen(engine, said(line))

            assert int(np.argmax(heard.voice)) == axis
            assert np.linalg.norm(heard.voice) == pytest.approx(1.0, abs=1e-5)

    @pytest.mark.parametrize("length", [0, 1, 159, 1600, SAMPLE_RATE])
    async def test_in_silence_there_is_nobody_however_short(self, engine: Engine, length: int) -> None:
        heard = await listening.listen(engine, np.zeros(length, np.float32))

        assert (heard.sound.speech_s, len(heard.spans)) == (0.0, 0)
        assert heard.embeddings.shape == (0, ScriptedEmbedder.dimension)

    async def test_a_recording_that_is_all_speech_is_heard_to_its_end(self, engine: Engine) -> None:
        audio = SCRIPT.speak(0, pause_s=0.0)

        heard = await listening.listen(engine, audio)

        assert heard.sound.speech_s == pytest.approx(7.0, abs=0.02)
        assert sum(map(len, heard.spans)) == len(audio)

    async def test_a_tail_shorter_than_the_detectors_window_is_heard(self, engine: Engine) -> None:
        audio = SCRIPT.speak(0, pause_s=0.0)[: samples(3.0) + 480]

        heard = await listening.listen(engine, audio)

        assert heard.sound.speech_s == pytest.approx(3.03)


class TestGather:
    async def test_each_recording_is_one_voice_and_pieces_of_each_length(self, engine: Engine) -> None:
        material = await listening.gather(engine, recordings(("Alice", 1, said(0)), ("Bob", 2, said(1))))

        assert material.voices.speakers.tolist() == ["Alice", "Bob"]
        lengths = {
            person: sorted(set(material.pieces.seconds[material.pieces.speakers == person].round(2)))
            for person in ("Alice", "Bob")
        }
        assert lengths == {"Alice": list(LENGTHS_S), "Bob": [1.0, 2.0]}

    async def test_a_long_recording_has_no_more_pieces_than_are_useful(self, engine: Engine) -> None:
        material = await listening.gather(engine, recordings(("Alice", 1, said(0, 0, 0))))

        for length in LENGTHS_S:
            assert np.sum(material.pieces.seconds.round(2) == length) <= listening.MAX_PIECES

    async def test_silence_is_left_out(self, engine: Engine) -> None:
        material = await listening.gather(engine, recordings(("Nobody", 1, SILENCE), ("Bob", 2, said(1))))

        assert material.voices.speakers.tolist() == ["Bob"]

    async def test_of_nothing_there_is_nothing(self, engine: Engine) -> None:
        material = await listening.gather(engine, recordings())

        assert (len(material.voices), len(material.pieces)) == (0, 0)
        assert material.voices.embeddings.shape == (0, ScriptedEmbedder.dimension)

    async def test_pieces_may_be_left_out(self, engine: Engine) -> None:
        material = await listening.gather(engine, recordings(("Bob", 2, said(1))), pieces=False)

        assert (len(material.voices), len(material.pieces)) == (1, 0)


async def test_without_a_model_for_voices_it_says_what_is_missing(engine: Engine) -> None:
    engine.models = replace(engine.models, embedder=None)

    with pytest.raises(JobFailed, match=r"no \[speaker\]"):
        await listening.listen(engine, said(0))


async def test_no_pieces_have_no_voices(engine: Engine) -> None:
    assert (await listening.embed(engine, [])).shape == (0, ScriptedEmbedder.dimension)
