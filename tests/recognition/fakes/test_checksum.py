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


@pytest.mark.parametrize("start", [0, 123_457])
async def test_lines_cover_speech_without_gap_and_prove_their_audio(start: int) -> None:
    position = start
    for final in await transcribe(NOISE, start=start):
        assert final.start == position
        assert final.text == checksum(NOISE[final.start - start : final.end - start])
        position = final.end
    assert position == start + len(NOISE)


async def test_a_session_that_goes_on_from_the_middle_covers_the_rest() -> None:
    first = await transcribe(NOISE)
    cut = first[1].end
    rest = await transcribe(NOISE[cut:], start=cut)
    assert [(f.start, f.end, f.text) for f in rest] == [(f.start, f.end, f.text) for f in first[2:]]


async def test_silence_has_no_lines() -> None:
    assert await transcribe(np.zeros(50_000, np.float32)) == []


def test_one_wrong_sample_makes_another_text() -> None:
    changed = NOISE.copy()
    changed[7] = -changed[7]
    assert checksum(changed) != checksum(NOISE)
