"""Minutes written by a language model: part by part, then the whole; what no line carries is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol, TypeVar

from pydantic import BaseModel

from minutes.lines import Line
from minutes.people import People
from minutes.statements import Kind, Statement

from . import prompts, reading
from .answers import Part, Whole
from .prompts import Message

if TYPE_CHECKING:
    from .client import Used  # which loads a library that few services need

Answer = TypeVar("Answer", bound=BaseModel)


class Asked(Protocol):
    """Whoever answers: `client.Client`."""

    async def ask(self, messages: Sequence[Message], form: type[Answer]) -> tuple[Answer, Used]: ...


Report = Callable[[int, int], Awaitable[None]]
"""Is told of each answer: how many there are, and of how many."""


async def write(
    lines: Sequence[Line],
    today: date,
    asked: Asked,
    *,
    context_tokens: int,
    report: Report,
    people: People | None = None,
    wish: prompts.Wish | None = None,
) -> list[Statement]:
    """Return the minutes of a meeting, as far as its lines carry them.

    Args:
        lines: In order.
        today: The day of the meeting.
        context_tokens: As many as the model can read and write at once.
        people: Those of the meeting, where these are not all of its lines.
        wish: What a template asks for.

    Raises:
        ModelFailed: If there is no answer of use.
    """
    meeting = reading.Meeting(lines, people or People(lines), today)
    wish = wish or prompts.Wish()
    parts = prompts.parts(lines, context_tokens, wish)
    steps = len(parts) + (len(parts) > 1)
    found: list[Statement] = []
    for number, part in enumerate(parts, 1):
        messages = prompts.for_part(lines, part, wish)
        answer, _used = await asked.ask(messages, Part)
        found += reading.of_part(_wanted(answer, wish), meeting, part)
        await report(number, steps)
    if len(parts) < 2 or not any(each.kind is Kind.SUMMARY for each in found):
        return found
    whole = await _whole(meeting, found, context_tokens, asked, wish)
    await report(steps, steps)
    # A model that makes nothing of its own summaries leaves them as they are.
    rest = [each for each in found if each.kind is not Kind.SUMMARY]
    return [*whole, *rest] if whole else found


def _wanted(answer: Part, wish: prompts.Wish) -> Part:
    """Return an answer without the sections that nobody asked for."""
    return answer.model_copy(update={name: [] for name in Part.model_fields if not wish.wants(name)})


async def _whole(
    meeting: reading.Meeting,
    found: Sequence[Statement],
    context_tokens: int,
    asked: Asked,
    wish: prompts.Wish,
) -> list[Statement]:
    """Return one summary, made of those of the parts."""
    numbers = {line.key: number for number, line in enumerate(meeting.lines, 1)}
    summaries = [
        (each.text, [numbers[key] for key in each.lines]) for each in found if each.kind is Kind.SUMMARY
    ]
    messages = prompts.for_whole(meeting.lines, summaries, context_tokens, wish)
    answer, _used = await asked.ask(messages, Whole)
    return reading.of_whole(answer, meeting)
