"""The first lines of a transcript as a page shows them before its scripts are there.

Scripts then put their own in place: static/js/transcript/transcript-view.js makes the same of each line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from sessions_app.catalogue.talk_picture import voice_colours
from sessions_app.store.queries import as_line
from sessions_app.templatetags.durations import clock
from sessions_app.transcripts.overlap_marks import marks
from sessions_app.transcripts.transcript import Transcript
from sessions_app.wire.protocol import Line

COUNT = 30
"""Lines that fill a large screen."""

_CHINESE = re.compile(
    "[\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class FirstLine:
    """One line of the page: its words, its classes and who speaks."""

    line_id: int
    classes: str
    initial: str
    name: str
    time: str
    text: str
    mark: str
    """See `overlap_marks`."""

    language: str
    tab_index: int


def first_lines(transcript: Transcript, *, is_live: bool) -> list[FirstLine]:
    """Return the lines to show at once: where a reader begins, and that is the end of a live meeting."""
    chosen = transcript.lines[-COUNT:] if is_live else transcript.lines[:COUNT]
    colours = voice_colours(transcript.speakers)
    lines = [as_line(utterance) for utterance in chosen]
    said = zip(lines, marks(lines), strict=True)
    return [_first_line(line, mark, lines[:index], colours) for index, (line, mark) in enumerate(said)]


def _first_line(line: Line, mark: str, before: Sequence[Line], colours: dict[str, int]) -> FirstLine:
    spoken = line.spoken
    name = spoken.speaker_name or _("Unknown speaker")
    is_continued = bool(before) and before[-1].spoken.speaker_id == spoken.speaker_id
    classes = [
        "line",
        f"voice-{colours.get(spoken.speaker_id, 0)}",
        *(["is-edited"] if line.is_edited else []),
        *(["is-continued"] if is_continued else []),
    ]
    return FirstLine(
        line_id=line.line_id,
        classes=" ".join(classes),
        initial=str(spoken.number) if spoken.number else name[:1],
        name=name,
        time=clock(line.start_ms / 1000),
        text=line.text,
        mark=mark,
        language="zh-Hans" if _CHINESE.search(line.text) else "en",
        tab_index=-1 if before else 0,
    )
