"""What the failure tests rely on: every sample of speech is in exactly one line, and its text proves it."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Final
from recognition.engine.engine import Engine
from recognition.engine.transcriber import Transcriber
from recognition.fakes.checksum import checksum, checksum_models

RNG = np.random.default_rng(5)
NOISE = RNG.uniform(-0.5, 0.5, 20 * 16_000).astype(np.float32)


async def transcribe(audio: np.ndarray, *, start: int = 0, frame: int = 1777) -> list[Final]:
    engine = Engine(checksum_models())
    engine.start()
    transcriber = Transcriber(engine, EndpointingOptions(longest_utterance_ms=6000), start=start)
    for at in range(0, len(audio), frame):
        transcriber.feed(audio[at : at + frame])
    transcriber.finish()
    finals = [event async for event in transcriber.events() if isinstance(event, Final)]
    await engine.aclose()
    return finals


def assert_proven(finals: list[Final], audio: np.ndarray, start: int) -> None:
    """One line follows the other from start to end, and each has the checksum of its audio."""
    position = start
    for final in finals:
        assert final.start == position
        assert final.text == checksum(audio[final.start - start : final.end - start])
        position = final.end
    assert position == start + len(audio)


@pytest.mark.parametrize("start", [0, 123_457])
async def test_lines_cover_speech_without_gap_and_prove_their_audio(start: int) -> None:
    assert_proven(await transcribe(NOISE, start=start), NOISE, start)


async def test_a_session_that_goes_on_from_the_middle_covers_the_rest() -> None:
    cut = (await transcribe(NOISE))[1].end
    assert_proven(await transcribe(NOISE[cut:], start=cut), NOISE[cut:], cut)


async def test_silence_has_no_lines() -> None:
    assert await transcribe(np.zeros(50_000, np.float32)) == []


def test_one_wrong_sample_makes_another_text() -> None:
    changed = NOISE.copy()
    changed[7] = -changed[7]
    assert checksum(changed) != checksum(NOISE)
