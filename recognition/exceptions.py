"""The errors of recognition.

RecognitionError
└── ModelError      a model cannot be loaded or fetched; the message says what to do
"""

from __future__ import annotations


class RecognitionError(Exception):
    """Base of what this package raises on purpose."""


class ModelError(RecognitionError):
    """A model is missing, incomplete, damaged or of an unknown kind."""
