"""Texts of meetings for language models: answers of the HTTP API, as few words as say everything. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Answer = Mapping[str, Any]
"""An object of the API, as docs/api.md has it."""


def list_text(page: Answer) -> str:
    """Return a page of the list, a line a meeting."""
    rows = [_row(each) for each in page["sessions"]]
    return "\n".join([*(rows or ["There is no such meeting."]), *_next(page)])


def found_text(page: Answer) -> str:
    """Return what a search found: meetings that are called so, then lines."""
    rows = [f"Called so: {_row(each)}" for each in page["sessions"]]
    rows += [
        f"{each['session']} [{clock(each['start_ms'])}] {each['speaker']}: {each['text']}"
        for each in page["lines"]
    ]
    return "\n".join([*(rows or ["Nobody said that."]), *_next(page)])


def lines_text(meeting: Answer, news: Answer, limit: int) -> str:
    """Return the beginning of a transcript, and where it goes on.

    Args:
        meeting: What is told of it besides its lines.
        news: Its lines from where somebody reads.
        limit: How many to return at most.
    """
    chosen = sorted(news["lines"], key=lambda line: line["seq"])
    shown = sorted(chosen[:limit], key=lambda line: line["start_ms"])
    text = [_row(meeting), "", *(_line(each) for each in shown)]
    if len(chosen) > limit:
        text.append(f"(goes on: after={chosen[limit - 1]['seq']})")
    elif meeting["state"] == "ended":
        text.append("(the end)")
    else:
        text.append(_mark(news))
    return "\n".join(text)


def news_text(news: Answer, *, is_over: bool) -> str:
    """Return what is new in a meeting that goes on, and how to ask for what comes."""
    rows = [_line(each) for each in news["lines"]]
    rows += [f"(line {each} was taken out)" for each in news["removed"]]
    if is_over:
        return "\n".join([*rows, "(the meeting has ended)"])
    return "\n".join([*(rows or ["(nothing new)"]), _mark(news)])


def minutes_text(minutes: Answer | None) -> str:
    """Return minutes, section by section."""
    if minutes is None:
        return "There are no minutes yet: the first are made a few minutes after a meeting has begun."
    rows = ["(lines have changed since these were made)"] if minutes["is_out_of_date"] else []
    section = ""
    for item in minutes["items"]:
        if item["section"] != section:
            section = item["section"]
            rows += ["", f"## {section}"]
        rows.append(f"- {_item(item)}")
    words = ", ".join(word["word"] for word in minutes["key_words"])
    rows += ["", f"Key words: {words}"] if words else []
    return "\n".join(rows).strip() or "Nothing came of it."


def clock(ms: int) -> str:
    """Return a place in a recording: 1:02:03."""
    seconds = ms // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _row(meeting: Answer) -> str:
    people = ", ".join(meeting["speakers"]) + (" and others" if meeting["more_speakers"] else "")
    tags = " ".join(f"#{tag}" for tag in meeting["tags"])
    facts = [meeting["id"], meeting["state"], meeting["started_at"][:16], clock(meeting["duration_ms"])]
    return " | ".join(part for part in [*facts, meeting["name"], people, tags] if part)


def _line(line: Answer) -> str:
    return f"[{line['seq']}, {clock(line['start_ms'])}] {line['speaker']['speaker_name']}: {line['text']}"


def _item(item: Answer) -> str:
    who = f"{item['who']['speaker_name']}: " if item["who"] else ""
    until = f" (until {item['due'] or item['until']})" if item["due"] or item["until"] else ""
    done = " [done]" if item["is_done"] else ""
    return f"[{clock(item['at_ms'])}] {who}{item['text']}{until}{done}"


def _mark(news: Answer) -> str:
    return f"(goes on: after={news['seq']}, changed_after={news['revision']})"


def _next(page: Answer) -> Iterator[str]:
    if page["next"] is not None:
        yield f"(more: before={page['next']})"
