"""The sample meeting, line by line: what was said and by whom, beside what was recognised.

    python -m benchmarks.sample_meeting [--models NAME]

As `make run` shows it, but as fast as this machine computes it, and compared with the reference. Only
people who are enrolled must be named; the guest must be one stranger throughout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import numpy as np
import soundfile

from recognition.audio import seconds
from recognition.core.events import Final
from recognition.engine.engine import Engine
from recognition.engine.transcriber import Transcriber
from recognition.evaluation.scoring import character_error_rate
from recognition.hotwords import Hotword, Hotwords
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, read_model_set
from speakers.listening import listen
from speakers.voiceprints.identification import Enrolled, Gallery
from speakers.voiceprints.tracking import LineMoved, SpeakerTracker, VoiceIdentified, VoicesMerged

SAMPLE = Path("sessions_app/sample")


@dataclass(slots=True)
class Line:
    """A recognised line, and what the reference has at its place."""

    final: Final
    expected: str
    """The name of who speaks."""

    voice: uuid.UUID
    name: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", default="embedded", help="name of a model set, or path of a .toml")
    parser.add_argument("--models-dir", type=Path, default=Path("var/models"))
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")
    django.setup()
    model_set = read_model_set(options.models)
    reference = json.loads((SAMPLE / "reference.json").read_text(encoding="utf-8"))
    lines = asyncio.run(transcribe(model_set, options.models_dir, reference))
    for line in lines:
        minutes, second = divmod(int(seconds(line.final.start)), 60)
        verdict = "right" if line.name == line.expected else f"WRONG, it is {line.expected}"
        print(f"{minutes}:{second:02}  {line.name}（{verdict}）：{line.final.text}")
    error_rate = character_error_rate(
        [("".join(turn["text"] for turn in reference["lines"]), "".join(line.final.text for line in lines))]
    )
    right = sum(line.name == line.expected for line in lines)
    print(f"sample meeting: CER {error_rate:.1%}, {right} of {len(lines)} lines have the right speaker")


async def transcribe(model_set: ModelSet, models_dir: Path, reference: dict[str, Any]) -> list[Line]:
    """Recognise the meeting with its two people enrolled, and put names to the voices."""
    engine = Engine(load_models(model_set, models_dir))
    engine.start()
    gallery, names = await _enroll(engine, reference["enrolled"])
    tracker = SpeakerTracker(gallery)
    hotwords = Hotwords(tuple(map(Hotword, names.values())))
    transcriber = Transcriber(engine, model_set.endpointing, partials=False, hotwords=hotwords)
    lines: list[Line] = []
    named: dict[uuid.UUID, int | None] = {}
    await transcriber.feed_all(_read("meeting.flac"))
    async for event in transcriber.events():
        if isinstance(event, Final):
            decision = tracker.identify(len(lines), event.embedding, seconds(event.speech))
            lines.append(Line(event, speaker_of(event, reference["lines"]), decision.voice))
            named[decision.voice] = decision.speaker
            _revise(tracker, lines, named)
    await engine.aclose()
    put_names(lines, named, names)
    return lines


async def _enroll(engine: Engine, recordings: dict[str, str]) -> tuple[Gallery, dict[int, str]]:
    embedder = engine.models.embedder
    assert embedder
    from speakers import calibration  # it needs Django's settings

    scoring = calibration.shipped(embedder.model_id, embedder.dimension)
    empty = Gallery(embedder.model_id, scoring, embedder.dimension)
    voices: dict[int, Enrolled | None] = {}
    for key, file in enumerate(recordings.values()):
        heard = await listen(engine, _read(file))
        voices[key] = Enrolled(heard.voice, float(heard.seconds.sum()))
    return empty.changed(voices), dict(enumerate(recordings))


def _read(file: str) -> np.ndarray:
    audio: np.ndarray = soundfile.read(SAMPLE / file, dtype="float32")[0]
    return audio


def speaker_of(final: Final, turns: list[dict[str, Any]]) -> str:
    """Who speaks most of this time by the reference."""

    def overlap(turn: dict[str, Any]) -> float:
        return float(min(seconds(final.end), turn["end"]) - max(seconds(final.start), turn["start"]))

    return str(max(turns, key=overlap)["speaker"])


def _revise(tracker: SpeakerTracker, lines: list[Line], named: dict[uuid.UUID, int | None]) -> None:
    for revision in tracker.take_revisions():
        match revision:
            case VoiceIdentified(voice, speaker):
                named[voice] = speaker
            case VoicesMerged(kept, gone):
                for line in lines:
                    line.voice = kept if line.voice == gone else line.voice
            case LineMoved(number, voice, _):
                lines[number].voice = voice


def put_names(lines: list[Line], named: dict[uuid.UUID, int | None], names: dict[int, str]) -> None:
    """Enrolled people by name; the stranger who has most of the lines of somebody else by theirs."""
    strangers = Counter(
        (line.voice, line.expected)
        for line in lines
        if named[line.voice] is None and line.expected not in names.values()
    )
    theirs: dict[uuid.UUID, str] = {}
    for (voice, expected), _ in strangers.most_common():
        if expected not in theirs.values():
            theirs[voice] = expected
    for line in lines:
        speaker = named[line.voice]
        line.name = names[speaker] if speaker is not None else theirs.get(line.voice, "somebody")


if __name__ == "__main__":
    main()
