"""Writing of lines: rules of people, and numbers in digits where they are finished; the script of all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from recognition.core.events import Partial
from recognition.scripts import SIMPLIFIED, TRADITIONAL
from recognition.writing import traditional, writer
from recognition.writing.changes import Change, together, write
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
        script: See `Session.script`.
        rules: Reads the rules that hold now.
        load: Loads what knows numbers.
    """

    def __init__(
        self,
        *,
        with_digits: bool,
        script: str = SIMPLIFIED,
        rules: Callable[[], Awaitable[Rules]] = no_rules,
        load: Callable[[], Writer] = writer.load,
    ) -> None:
        self._with_digits = with_digits
        self._is_traditional = script == TRADITIONAL
        self._growing = traditional.GrowingLine()
        self._utterance = -1
        self._rules = rules
        self._load = load

    async def write(self, lines: list[NewLine]) -> list[NewLine]:
        """Return the lines as they are to be written."""
        if not lines:
            return lines
        rules = await self._rules()
        if not rules and not self._with_digits and not self._is_traditional:
            return lines
        return await asyncio.to_thread(self._write, lines, rules)

    async def write_partial(self, partial: Partial) -> Partial:
        """Return what is heard of an utterance, in the session's script."""
        return await asyncio.to_thread(self._in_script, partial) if self._is_traditional else partial

    def _in_script(self, partial: Partial) -> Partial:
        if partial.utterance != self._utterance:
            self._utterance, self._growing = partial.utterance, traditional.GrowingLine()
        text, tail = self._growing.shown(partial.text, partial.tail)
        return replace(partial, text=text, tail=tail)

    def _write(self, lines: Sequence[NewLine], rules: Rules) -> list[NewLine]:
        return [self._written(line, tuple(rules)) for line in lines]

    def _written(self, line: NewLine, rules: tuple[Rule, ...]) -> NewLine:
        final = line.final
        numbers = self._numbers(final.text) if self._with_digits else []
        if self._is_traditional:  # numerals are known in simplified characters
            numbers, rules = traditional.changes(numbers), traditional.rules(rules)
            text, tokens = traditional.line(final.text, final.tokens)
            final = replace(final, text=text, tokens=tokens)
        changes = together(rule_changes(final.text, rules), numbers)
        written = write(final.text, final.tokens, changes) if changes else None
        return replace(line, final=final, written=written)

    def _numbers(self, text: str) -> list[Change]:
        try:
            return self._load().changes(text)
        except RuntimeError:  # of wetext's automata: a line as it was heard is better than none
            logger.exception("the numbers of a line of %d characters stay in words", len(text))
            return []
