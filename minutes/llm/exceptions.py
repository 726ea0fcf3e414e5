"""Errors of language models, for people."""

from __future__ import annotations


class ModelFailed(Exception):
    """No answer that can be used; the message says why."""


class ServerAway(ModelFailed):
    """Nobody answered, or asked to come again later: it may work in a while."""


class NotAllowed(ModelFailed):
    """An address that texts must not be sent to."""
