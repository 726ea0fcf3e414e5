"""The figures of the benchmark as a table, one column for each model set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Figures = Mapping[str, Any]


def columns_of(figures: Figures) -> list[Figures]:
    """The figures of each model set that was measured, the one that it is about first."""
    return [
        figures,
        *(nested for nested in figures.values() if isinstance(nested, dict) and "model" in nested),
    ]


def rows_of(columns: Sequence[Figures]) -> list[list[str]]:
    """What was measured, each set's figure, and the goal."""
    return [[what, *(figure(column) for column in columns), goal] for what, figure, goal in _ROWS]


def heads_of(columns: Sequence[Figures]) -> list[str]:
    return ["", *(str(column["model"]).split("@")[0] for column in columns), "goal, at most"]


def _shares(*names: str) -> Callable[[Figures], str]:
    return lambda figures: ", ".join(f"{figures[name]:.1%}" for name in names)


def _by_seconds(kind: str, *lengths: int) -> Callable[[Figures], str]:
    return _shares(*(f"eer_{kind}{length}s" for length in lengths))


def _diarization(name: str) -> Callable[[Figures], str]:
    def told(figures: Figures) -> str:
        at_once, revised, missed, confused, trivial = (
            f"{figures[name + kind]:.1%}" for kind in ("_live", "", "_missed", "_confusion", "_one_speaker")
        )
        return f"{at_once} / {revised} (missed {missed}, confused {confused}; one speaker {trivial})"

    return told


def _voices(figures: Figures) -> str:
    pairs = zip(figures["long_room_voices"], figures["long_room_people"], strict=True)
    return ", ".join(f"{voices} of {people}" for voices, people in pairs)


def _ms(name: str) -> Callable[[Figures], str]:
    return lambda figures: f"{figures[name]:.1f}"


def _ratio(name: str) -> Callable[[Figures], str]:
    return lambda figures: f"{figures[name]:.2f}"


_ROWS: Sequence[tuple[str, Callable[[Figures], str], str]] = (
    (
        "equal error, one piece against one, near, 1, 2, 3, 5 s",
        _by_seconds("single_", 1, 2, 3, 5),
        "6.2, 0.6, 0.1%",
    ),
    ("the same in a room with noise at 10 dB, 1, 2, 3 s", _by_seconds("far_", 1, 2, 3), "13, 3, 1%"),
    ("the same in Mandarin, near, 1, 2, 3 s", _by_seconds("mandarin_", 1, 2, 3), ""),
    ("against three enrolled recordings, 1, 2, 3, 5 s", _by_seconds("", 1, 2, 3, 5), ""),
    ("the right one of ten people", _shares("closed_set_accuracy"), ""),
    ("lines of strangers that get a name", _shares("open_set_false_accepts"), "0.5%"),
    ("lines of the enrolled that get none", _shares("open_set_false_rejects"), "0.5%"),
    (
        "diarization error, four held-out AMI excerpts, at once / revised",
        _diarization("der_heldout"),
        "42 / 38%",
    ),
    ("the same, 0.25 s at boundaries and overlap left out, revised", _shares("der_heldout_easy"), "13%"),
    ("all fifteen AMI excerpts, at once / revised", _diarization("der_all"), "33%"),
    ("turns without pauses, at once / revised", _diarization("joined_der"), "9%"),
    ("made room, 2 minutes, at once / revised", _diarization("room_der"), "21%"),
    ("made room, 8 minutes, at once / revised", _diarization("long_room_der"), "21%"),
    ("voices of 5 s or more there", _voices, "4 of 4"),
    ("right after three hours of ten voices", _shares("three_hours_right"), "at least 99.5%"),
    ("after two hours of eight who talk over each other", _shares("talking_over_right"), ""),
    ("cost of a line at their end over that at their beginning", _ratio("talking_over_cost_ratio"), ""),
    ("recognition with a segmenter over that without", _ratio("recognition_cost_ratio"), "1.25"),
    ("a line among 100,000 voices, ms", _ms("identify_100k_ms"), "10"),
    ("one more enrollment there, ms", _ms("enroll_100k_ms"), ""),
)
