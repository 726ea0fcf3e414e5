"""Lines in traditional characters: their text, tokens, changes and rules; partials too. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from recognition.interfaces import Token
from recognition.scripts import traditional

from .changes import Change, places
from .rules import Rule


def line(text: str, tokens: Sequence[Token]) -> tuple[str, tuple[Token, ...]]:
    """Return a line in traditional characters, and its tokens as they stand in it."""
    converted = traditional(text)
    return converted, tuple(
        replace(token, text=_token_in(converted, text, token.text, place))
        for token, place in zip(tokens, places(text, tokens), strict=True)
    )


def _token_in(converted: str, text: str, token: str, place: int) -> str:
    is_there = text[place : place + len(token)] == token
    return converted[place : place + len(token)] if is_there else traditional(token)


def changes(of_simplified: Iterable[Change]) -> list[Change]:
    """Return the changes of a line as it is in traditional characters: in the same places."""
    return [replace(change, written=traditional(change.written)) for change in of_simplified]


@lru_cache(maxsize=64)
def rules(of_people: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return rules for lines in traditional characters, in whichever script people wrote them."""
    return tuple(Rule(each.key, traditional(each.wrong), traditional(each.right)) for each in of_people)


class GrowingLine:
    """The text of an utterance while it is heard: what has been shown of it stays."""

    def __init__(self) -> None:
        self._heard = self._shown = ""

    def shown(self, heard: str, tail: str) -> tuple[str, str]:
        """Return the text and its tail in traditional characters; one that does not go on is another."""
        converted = traditional(heard + tail)
        if not heard.startswith(self._heard):
            self._heard = self._shown = ""
        self._shown += converted[len(self._heard) : len(heard)]
        self._heard = heard
        return self._shown, converted[len(heard) :]
