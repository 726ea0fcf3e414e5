"""A small picture of a talk: who spoke when, in columns of equal time. Pure.

Kept as text, two characters a column: the colour of whoever spoke most in it, and how much of it was speech.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

COLUMNS = 60
COLOURS = 10

FULL = 9
"""The height of a column in which somebody spoke all the time."""

_DIGITS = "0123456789a"
_WIDTH, _HEIGHT = 3, 18
_PATH_EDGE = _WIDTH / 2


@dataclass(frozen=True, slots=True)
class Turn:
    """Speech by one voice; positions in any unit."""

    start: int
    end: int
    colour: int
    """1 to 10; 0 for nobody in particular."""


def voice_colours(speakers: Iterable[str]) -> dict[str, int]:
    """Return the colour of each speaker, as all pages give them: see static/js/transcript/voices.js.

    Args:
        speakers: The public id of each voice, in the order in which voices came.
    """
    colours: dict[str, int] = {}
    for number, speaker in enumerate(speakers):
        colours.setdefault(speaker, number % COLOURS + 1)
    return colours


def draw(turns: Iterable[Turn], length: int) -> str:
    """Return the picture of a talk of this length; empty if nobody spoke."""
    columns: list[dict[int, int]] = [{} for _ in range(COLUMNS)]
    for turn in turns:
        _add(columns, turn, max(1, length))
    if not any(columns):
        return ""
    return "".join(_column(spoken, max(1, length) / COLUMNS) for spoken in columns)


def _add(columns: list[dict[int, int]], turn: Turn, length: int) -> None:
    for number in range(turn.start * COLUMNS // length, min(COLUMNS, turn.end * COLUMNS // length + 1)):
        begin, stop = number * length // COLUMNS, (number + 1) * length // COLUMNS
        spoken = min(turn.end, stop) - max(turn.start, begin)
        if spoken > 0:
            columns[number][turn.colour] = columns[number].get(turn.colour, 0) + spoken


def _column(spoken: dict[int, int], span: float) -> str:
    if not spoken:
        return "00"
    most = max(spoken, key=lambda colour: spoken[colour])
    height = min(FULL, max(1, round(FULL * sum(spoken.values()) / span)))
    return f"{_DIGITS[most]}{height}"


def paths(picture: str) -> dict[int, str]:
    """Return the SVG path of each colour's columns, to be stroked; on a canvas of `size()`."""
    drawn: dict[int, list[str]] = {}
    for number in range(len(picture) // 2):
        colour, height = _DIGITS.index(picture[2 * number]), int(picture[2 * number + 1])
        if height:
            tall = height * (_HEIGHT - _WIDTH) // FULL
            top = (_HEIGHT - tall) / 2
            drawn.setdefault(colour, []).append(f"M{number * _WIDTH + _PATH_EDGE:g} {top:g}v{tall}")
    return {colour: "".join(pieces) for colour, pieces in drawn.items()}


def size() -> tuple[int, int]:
    """Return the width and the height that paths are drawn on."""
    return COLUMNS * _WIDTH, _HEIGHT


def svg(picture: str) -> str:
    """Return the picture as SVG, to be coloured by the classes of the voices; empty without a picture."""
    if not picture:
        return ""
    width, height = size()
    drawn = "".join(f'<path class="voice-{colour}" d="{d}"/>' for colour, d in paths(picture).items())
    box = f'viewBox="0 0 {width} {height}" preserveAspectRatio="none"'
    return f'<svg class="talk" {box} aria-hidden="true">{drawn}</svg>'
