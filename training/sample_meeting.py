"""Speaks the sample meeting: three voices, two of them enrolled, in a small room.

`python -m training sample` writes the recording, what is said in it by whom and when, and one enrollment
recording for each enrolled speaker. The words stand in `sample_meeting.txt`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from recognition.audio import SAMPLE_RATE, seconds
from recognition.evaluation.scoring import plain
from training import augmentation
from training.synthesis import Manner, Synthesizer, Voice, in_fresh_process
from training.text import SAMPLE_MEETING

FOLDER = Path("sessions_app/sample")

VOICES = {
    "林静": Voice("belinda", factor=1.0, pitch=50, pitch_range=55),
    "王磊": Voice("caleb", factor=1.04, pitch=45, pitch_range=50),
    "客人": Voice("Michael", factor=0.97, pitch=52, pitch_range=60),
}
FILE_NAMES = {"林静": "lin-jing", "王磊": "wang-lei"}
RATES = {"林静": 188, "王磊": 196, "客人": 190}

GUEST = "客人"
"""Not enrolled: whoever listens can only call them "Speaker 1"."""

_ENROLLMENT = "注册 "
_SEED = 2026


@dataclass(frozen=True, slots=True)
class Turn:
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    turns: list[Turn]
    enrollments: dict[str, str]


def read_script(path: Path = SAMPLE_MEETING) -> Script:
    turns, enrollments = [], {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "：" not in line:
            continue
        speaker, text = line.split("：", 1)
        if speaker.startswith(_ENROLLMENT):
            enrollments[speaker.removeprefix(_ENROLLMENT)] = text
        else:
            turns.append(Turn(speaker, text))
    return Script(turns, enrollments)


def make(folder: Path = FOLDER) -> None:
    """Write `meeting.flac`, `reference.json` and `enroll-<name>.flac`; the same bytes every time."""
    in_fresh_process(_make, folder)


def _make(folder: Path) -> None:
    script = read_script()
    rng = np.random.default_rng(_SEED)
    speaker = Synthesizer()
    folder.mkdir(parents=True, exist_ok=True)
    audio, lines = _meeting(script, speaker, rng)
    _write(folder / "meeting.flac", audio)
    enrolled = {name: f"enroll-{FILE_NAMES[name]}.flac" for name in sorted(script.enrollments)}
    reference = {"enrolled": enrolled, "lines": lines}
    text = json.dumps(reference, ensure_ascii=False, indent=1)
    (folder / "reference.json").write_text(text + "\n", encoding="utf-8")
    for name, words in script.enrollments.items():
        voice = speaker.speak(words, VOICES[name], Manner(RATES[name]))
        _write(folder / enrolled[name], _in_a_room(augmentation.padded(voice, 0.4, 0.4), rng))


def _meeting(
    script: Script, speaker: Synthesizer, rng: np.random.Generator
) -> tuple[np.ndarray, list[dict[str, object]]]:
    pieces = [np.zeros(int(0.8 * SAMPLE_RATE), np.float32)]
    position = len(pieces[0])
    lines: list[dict[str, object]] = []
    for turn, following in zip(script.turns, [*script.turns[1:], None], strict=True):
        voice = _trimmed(speaker.speak(turn.text, VOICES[turn.speaker], Manner(RATES[turn.speaker])))
        voice = augmentation.at_level(voice, -22.0)
        lines.append(
            {
                "speaker": turn.speaker,
                "start": round(seconds(position), 2),
                "end": round(seconds(position + len(voice)), 2),
                "text": turn.text,
            }
        )
        silence = np.zeros(int(_gap(turn, following, rng) * SAMPLE_RATE), np.float32)
        pieces += [voice, silence]
        position += len(voice) + len(silence)
    return _in_a_room(np.concatenate(pieces), rng), lines


def _gap(turn: Turn, following: Turn | None, rng: np.random.Generator) -> float:
    """Seconds of silence after `turn`: short before a quick answer, longer where the subject changes."""
    if following is None:
        return 1.2
    if following.speaker == turn.speaker or turn.text.endswith("？") or len(plain(following.text)) < 8:
        return float(rng.uniform(1.05, 1.15))
    return float(rng.uniform(1.2, 1.7))


def _trimmed(audio: np.ndarray) -> np.ndarray:
    """Without the silence that espeak-ng leaves at both ends."""
    loud = np.flatnonzero(np.abs(audio) > 0.01 * np.abs(audio).max())
    return audio[loud[0] : loud[-1] + 1]


def _in_a_room(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A quiet meeting room: a little echo, and noise 36 dB below the speech."""
    response = augmentation.room_response(np.random.default_rng(_SEED))
    response[1:] *= 0.4
    wet = augmentation.reverberate(audio, response)
    return augmentation.at_level(
        augmentation.mix(wet, augmentation.coloured_noise(len(wet), rng), 30.0), -22.0
    )


def _write(path: Path, audio: np.ndarray) -> None:
    soundfile.write(path, audio, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
