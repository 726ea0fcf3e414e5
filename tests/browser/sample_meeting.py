"""The sample meeting: what is said in it, and the same as a script for scripted models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from recognition.fakes.scripted import Script, ScriptedLine

SAMPLE = Path(__file__).resolve().parents[2] / "sessions_app" / "sample"

# Who speaks in the scripted meeting, by voice; the third one is not enrolled.
PEOPLE = ["林静", "王磊", "客人"]


def reference() -> list[dict[str, Any]]:
    """The lines of the sample meeting: speaker, start and end in seconds, text."""
    lines: list[dict[str, Any]] = json.loads((SAMPLE / "reference.json").read_text())["lines"]
    return lines


NUMBERS = {
    "百分之八十": "80%",
    "百分之五": "5%",
    "三百毫秒": "300毫秒",
    "两万元": "2万元",
    "百分之三十": "30%",
    "十二月十五号": "12月15号",
    "上午九点半": "上午9:30",
}
"""All numbers of the meeting that finished lines have in digits."""


def as_written(text: str) -> str:
    """A text of the meeting as it is written, by a person's hand."""
    for spoken, written in NUMBERS.items():
        text = text.replace(spoken, written)
    return text


def meeting_script(*chosen: int, tail: int = 0) -> Script:
    """The sample meeting, or these lines of it, spoken twice as fast, for scripted models: in tones."""
    lines = reference()
    return Script(
        [
            ScriptedLine(
                line["text"],
                PEOPLE.index(line["speaker"]),
                max(0.8, (line["end"] - line["start"]) * 0.45),
                tail,
            )
            for line in ([lines[index] for index in chosen] or lines)
        ]
    )


def script_file(script: Script) -> str:
    """A model set's TOML that says this script."""
    parts = ['title = "The sample meeting, scripted"']
    for line in script.lines:
        parts.append(f'[[script]]\ntext = "{line.text}"\nvoice = {line.voice}\nseconds = {line.seconds:.2f}')
        parts[-1] += f"\ntail = {line.tail}"
    return "\n\n".join(parts)
