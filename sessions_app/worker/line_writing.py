"""Writing of finished lines: rules of people, and numbers in digits; partials stay as heard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from recognition.core.events import Final
from recognition.writing import writer
from recognition.writing.changes import Change, Written, together, write
from recognition.writing.rules import Rule
from recognition.writing.rules import changes as rule_changes
from recognition.writing.writer import Writer
from sessions_app.store.commits import NewLine

logger = logging.getLogger(__name__)


Rules = Sequence[Rule]


async def no_rules() -> Rules:
    """Return none, for sessions that have no database."""
    return ()


class LineWriting:
    """Writes the lines of one session, in a thread: wetext takes milliseconds, and is loaded at first.

    Args:
        with_digits: See `Session.itn`.
        rules: Reads the rules that hold now.
        load: Loads what knows numbers.
    """

    def __init__(
        self,
        *,
        with_digits: bool,
        rules: Callable[[], Awaitable[Rules]] = no_rules,
        load: Callable[[], Writer] = writer.load,
    ) -> None:
        self._with_digits = with_digits
        self._rules = rules
        self._load = load

    async def write(self, lines: list[NewLine]) -> list[NewLine]:
        """Return the lines as they are to be written."""
        if not lines:
            return lines
        rules = await self._rules()
        if not rules and not self._with_digits:
            return lines
        return await asyncio.to_thread(self._write, lines, rules)

    def _write(self, lines: Sequence[NewLine], rules: Rules) -> list[NewLine]:
        return [replace(line, written=self._written(line.final, rules)) for line in lines]

    def _written(self, final: Final, rules: Rules) -> Written | None:
        numbers = self._numbers(final.text) if self._with_digits else []
        changes = together(rule_changes(final.text, rules), numbers)
        return write(final.text, final.tokens, changes) if changes else None

    def _numbers(self, text: str) -> list[Change]:
        try:
            return self._load().changes(text)
        except RuntimeError:  # of wetext's automata: a line as it was heard is better than none
            logger.exception("the numbers of a line of %d characters stay in words", len(text))
            return []
