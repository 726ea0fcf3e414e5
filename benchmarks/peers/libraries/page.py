"""A table and a picture of libraries side by side."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from .comparison import AT, LIBRARIES, OURS

PASSES = ("first pass, 1 stream", "first pass, 8 streams", "second pass, 2 s, alone", AT[1])
"""What the picture shows."""

_COLOURS = ("#0f6b5c", "#a8b1bb", "#d4d9de")
_LEFT, _WIDTH, _BAR, _GAP = 190, 720, 15, 14


def table(figures: Mapping[str, Any]) -> str:
    """Return a row for each figure, a column for each library, and how many times ours the best other is."""
    libraries = figures["libraries"]
    titles = [library.title for library in LIBRARIES]
    rows = [["CPU ms a second of speech", *titles, "the better other over ours"]]
    rows.append(["---", *("--:" for _ in titles), "--:"])
    for name in _names(libraries[OURS]):
        values = [libraries[library.name][name] for library in LIBRARIES]
        rows.append([name, *map(_number, values), f"**{min(values[1:]) / values[0]:.2f}**"])
    for precision, shares in figures["same_tokens"].items():
        shown = [f"{shares[library.name]:.1%}" for library in LIBRARIES]
        rows.append([f"same tokens as ours in float32, in {precision}", *shown, ""])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _names(figures: Mapping[str, float]) -> list[str]:
    """Return the names of figures: passes first."""
    return sorted(figures, key=lambda name: not name.startswith(("first", "second", "both")))


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def picture(figures: Mapping[str, Any]) -> str:
    """Return bars of what each pass costs, as SVG; shorter is better."""
    libraries = figures["libraries"]
    most = max(libraries[library.name][name] for library in LIBRARIES for name in PASSES)
    parts, y = [], 34.0
    for name in PASSES:
        middle = y + len(LIBRARIES) * _BAR / 2 + 4
        parts.append(f'<text x="{_LEFT - 10}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>')
        for library, colour in zip(LIBRARIES, _COLOURS, strict=True):
            value = libraries[library.name][name]
            width = (_WIDTH - _LEFT - 60) * value / most
            parts.append(
                f'<rect x="{_LEFT}" y="{y:.0f}" width="{width:.1f}" height="{_BAR - 2}" fill="{colour}"/>'
            )
            parts.append(f'<text x="{_LEFT + width + 6:.1f}" y="{y + 11:.0f}">{_number(value)}</text>')
            y += _BAR
        y += _GAP
    legend = "".join(
        f'<rect x="{_LEFT + 170 * at}" y="8" width="12" height="12" fill="{colour}"/>'
        f'<text x="{_LEFT + 170 * at + 18}" y="18">{escape(library.title)}</text>'
        for at, (library, colour) in enumerate(zip(LIBRARIES, _COLOURS, strict=True))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y:.0f}" width="{_WIDTH}" '
        f'font-family="sans-serif" font-size="12" fill="#24292f" role="img" '
        f'aria-label="CPU milliseconds a second of speech, by library">'
        f'<rect width="{_WIDTH}" height="{y:.0f}" fill="#ffffff"/>{legend}{"".join(parts)}</svg>\n'
    )
