"""A language model for tests in the browser and for pictures, which knows the sample meeting."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from tests.support.language_model import Reply, StandIn, stand_in

from .sample_meeting import reference

ENGLISH = [
    "Hello, everybody is here, let us begin today's meeting.",
    "We discuss two things today: first the progress of live captions, second the budget for next month.",
    "Wang Lei, please tell us first how the project stands.",
    "Well, live captions are 80 percent done and should be ready for testing next Wednesday.",
    "The biggest problem at the moment: captions are a little slow when several people speak at once.",
    "Has the cause been found?",
    "Yes, mainly the server has too little memory.",
    "Let me add that we tested the new model last week, and its accuracy is up by 5 percent.",
    "Very good, what is the average delay?",
    "About 300 milliseconds, much faster than the old version.",
    "No problem, I will send everybody the test report tomorrow morning.",
    "Fine, let us look at the budget next.",
]
"""The first lines of the sample meeting."""

_ROW = re.compile(r"^\[(\d+)\] [^:]*: (.*)$", re.MULTILINE)


def answer(body: dict[str, Any]) -> Reply:
    """Answer in the form that is asked for: what the lines say, by their numbers."""
    rows = [(int(number), text) for number, text in _ROW.findall(body["messages"][1]["content"])]
    form = body["response_format"]["json_schema"]["name"]
    return Reply(json.dumps(_FORMS[form](rows), ensure_ascii=False))


def _translations(rows: list[tuple[int, str]]) -> dict[str, Any]:
    known = {line["text"][:4]: english for line, english in zip(reference(), ENGLISH, strict=False)}
    return {
        "translations": [
            {"line": number, "text": known.get(text[:4], f"In English this is line {number}.")}
            for number, text in rows
        ]
    }


def _answers(rows: list[tuple[int, str]]) -> dict[str, Any]:
    found = [(number, text) for number, text in rows if "测试报告" in text]
    return {"answers": [{"text": text, "lines": [number]} for number, text in found[:1]]}


def _part(rows: list[tuple[int, str]]) -> dict[str, Any]:
    number, text = rows[0]
    cited = {"text": text, "lines": [number]}
    return {"summary": [cited], "chapters": [], "decisions": [], "actions": [], "questions": []}


_FORMS = {"Translations": _translations, "Answers": _answers, "Part": _part}


@contextmanager
def serving() -> Iterator[StandIn]:
    """Serve it on a free port, in a thread of its own."""
    begun, over = Event(), asyncio.Event()
    found: list[tuple[StandIn, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with stand_in(answer) as server:
            found.append((server, asyncio.get_running_loop()))
            begun.set()
            await over.wait()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    begun.wait()
    [(server, loop)] = found
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
