"""Numbers in English words as they are written: 25 people, 80%, $2 million, 9:30, December 15. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .changes import Change
from .tags import Tag

Verbalize = Callable[[str], str]
"""Write a tag, by the second half of wetext."""

RUN = re.compile(r"[A-Za-z][A-Za-z'’]*(?:[ -][A-Za-z][A-Za-z'’]*)*")
"""Words without a mark between them."""

_SMALL = "one|two|three|four|five|six|seven|eight|nine"

SPOKEN = re.compile(
    r"\b(?:ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    r"million|billion|percent|point|dollars?|euros?|pounds?|o'clock|[ap]m|\w+th|zero|oh|"
    rf"(?:{_SMALL})(?: (?:{_SMALL}|oh|zero)){{2,}})\b",
    re.IGNORECASE,
)
"""Words without which nothing is to be written in digits."""

_LONE = re.compile(r"\d(?:st|nd|rd|th)?")


def plain(words: str) -> str:
    """Return words as wetext knows them, each letter at its place."""
    return words.lower().replace("-", " ").replace("’", "'")


def changes(text: str, at: int, tags: Iterable[Tag], verbalize: Verbalize) -> list[Change]:
    """Return the changes of a run of words.

    Args:
        at: The place of the run in the text; tags count from there.
    """
    found: list[Change] = []
    for tag in tags:
        spoken = text[at + tag.begin : at + tag.stop]
        if written := _written(tag, spoken, verbalize):
            found.append(Change(at + tag.begin, at + tag.stop, written))
    return found


def _written(tag: Tag, spoken: str, verbalize: Verbalize) -> str:
    """Return what to write for a tag; nothing if it stays."""
    match tag.kind:
        case "measure" if tag.parts.get("units") == "percent":
            return verbalize(tag.source).replace(" ", "")
        case "measure":
            return _measure(tag, spoken, verbalize)
        case "time":
            return re.sub(r"\b0(\d:)", r"\1", verbalize(tag.source))
        case "date":
            return _as_cased(verbalize(tag.source), spoken)
        case "money" | "decimal":
            return verbalize(tag.source)
        case "cardinal" | "ordinal" | "telephone":
            written = verbalize(tag.source)
            return "" if _LONE.fullmatch(written) else written
    return ""


def _measure(tag: Tag, spoken: str, verbalize: Verbalize) -> str:
    """Write the number of a measure, and leave its unit as it was spoken."""
    number = tag.parts.get("value", "")
    written = verbalize(f'cardinal {{ integer: "{number}" }}')
    unit = spoken[len(number) :].strip()
    return f"{written} {unit}" if number and written.isdigit() and len(written) > 1 else ""


def _as_cased(written: str, spoken: str) -> str:
    """Give the first letter the case that it was spoken in."""
    return spoken[0] + written[1:] if written[:1] == spoken[:1].lower() else written
