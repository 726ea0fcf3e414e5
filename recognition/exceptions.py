"""Errors that recognition raises on purpose, one tree; what a message can do about it, it says.

RecognitionError
├── ModelError          a model is missing, damaged, of an unknown kind, or cannot run here
│   └── ModelSetError   the file of a model set is wrong: names file, table, key, value and what is allowed
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


class RecordingsError(RecognitionError):
    """A folder of recordings without a manifest, or a recording that cannot be read."""


class SessionClosed(RecognitionError):
    """Audio after the end of its stream."""
