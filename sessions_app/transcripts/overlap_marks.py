"""Marks on lines in which several people speak: who speaks too, and during whose line it begins.

static/js/transcript/overlap-marks.js says the same on pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_app.wire.protocol import Line

MIN_SHARED_MS = 300
"""Lines that share less time follow one another: nobody is sure of the last word's end."""


def marks(lines: Iterable[Line]) -> Iterator[str]:
    """Yield what is to be said of others in each line, in the order of their start; mostly nothing."""
    sounding: list[Line] = []
    for line in lines:
        sounding = [other for other in sounding if other.end_ms - line.start_ms >= MIN_SHARED_MS]
        yield _mark(line, [other for other in sounding if _are_at_once(other, line)])
        sounding.append(line)


def _are_at_once(earlier: Line, later: Line) -> bool:
    is_other = earlier.spoken.speaker_id != later.spoken.speaker_id
    return is_other and min(earlier.end_ms, later.end_ms) - later.start_ms >= MIN_SHARED_MS


def _mark(line: Line, earlier: Sequence[Line]) -> str:
    during = list(dict.fromkeys(other.spoken.speaker_name for other in earlier))
    too = list(dict.fromkeys(overlap.speaker_name for overlap in line.overlaps))
    said = []
    if during:
        said.append(_("at the same time as %(names)s") % {"names": _(", ").join(during)})
    if too:
        text = ngettext("%(names)s speaks too", "%(names)s speak too", len(too))
        said.append(text % {"names": _(", ").join(too)})
    return " · ".join(said)
