"""Errors of language models, for people."""

from __future__ import annotations


class ModelFailed(Exception):
    """No answer that can be used; the message says why."""


class NoUsableAnswer(ModelFailed):
    """Answers came, several times, and none of them can be used: the same request will hardly do better."""


class ServerAway(ModelFailed):
    """Nobody answered, or asked to come again later: it may work in a while."""


class NotAllowed(ModelFailed):
    """An address that texts must not be sent to."""
