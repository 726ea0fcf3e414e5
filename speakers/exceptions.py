"""The errors of speakers.

SpeakersError
├── BadRecording        a file is no recording that can be enrolled
├── EnrollmentError     a recording cannot be stored as somebody's voice
├── Undecipherable      something was encrypted with a key that is not here
├── BadKeys             what should be keys is none
├── InUse               deleted rows are still read, so their bytes cannot be overwritten yet
├── TooFewVoices        there are not enough people or recordings to learn from
└── JobError            of work that a recognition worker does
    ├── JobFailed       it cannot be done
    ├── JobMustWait     it cannot be done now
    └── JobLost         another worker does it

Their messages are for people, and say what to do. A wrong argument is a `ValueError`; what a row's rules
forbid, Django's `ValidationError`. Nothing is imported here, so `speakers.voiceprints` may use it.
"""

from __future__ import annotations


class SpeakersError(Exception):
    """Base of what this package raises on purpose."""


class BadRecording(SpeakersError):
    """A file that cannot be used; the message is for the person who sent it."""


class EnrollmentError(SpeakersError):
    """A recording cannot be stored; the message is for the person who asked."""


class Undecipherable(SpeakersError):
    """Something was encrypted with a key that this installation does not have."""

    def __init__(self) -> None:
        super().__init__(
            "A voiceprint or a recording cannot be read: it was encrypted with another key. Put that key "
            "back into VOICEPRINT_KEYS or the file voiceprint_keys of the data directory, or enroll again."
        )


class BadKeys(SpeakersError):
    """The keys of this installation are none; the message says where they are."""


class InUse(SpeakersError):
    """Deleted rows that somebody still reads; the message is for people."""


class TooFewVoices(SpeakersError):
    """A lack of people or recordings to learn from; the message says what is missing."""


class JobError(SpeakersError):
    """Base of what stops a job."""


class JobFailed(JobError):
    """A job that cannot be done; the message is for the person who asked for it."""


class JobMustWait(JobError):
    """A job that can be done later, but not now; the message says what stands in its way."""


class JobLost(JobError):
    """A job that another worker has now."""
