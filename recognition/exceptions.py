"""Errors that recognition raises on purpose, one tree; what a message can do about it, it says.

RecognitionError
├── ModelError          a model is missing, damaged, of an unknown kind, or cannot run here
│   └── ModelSetError   the file of a model set is wrong: names file, table, key, value and what is allowed
├── PlaceError          a place that was asked for a file of a model does not give it
├── RecordingsError     recordings to measure with cannot be read
└── SessionClosed       audio came after the end of its stream
"""

from __future__ import annotations


class RecognitionError(Exception):
    """Base of the errors of this package."""


class ModelError(RecognitionError):
    """A model that cannot be fetched, loaded or run."""


class ModelSetError(ModelError):
    """A mistake in the file of a model set."""


class PlaceError(RecognitionError):
    """A place without the file that it was asked for; another may have it.

    Args:
        reason: In words.
        is_dead: Whether it is no use to ask it for anything else.
    """

    def __init__(self, reason: str, *, is_dead: bool = False) -> None:
        super().__init__(reason)
        self.is_dead = is_dead


class RecordingsError(RecognitionError):
    """A folder of recordings without a manifest, or a recording that cannot be read."""


class SessionClosed(RecognitionError):
    """Audio after the end of its stream."""
