"""Reasons for which a file is not transcribed, or not to its end, in words for people."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _


def in_words(reason: str) -> str:
    """Return what to tell the sender of a file; empty for no reason."""
    if not reason:
        return ""
    hours = settings.MAX_SESSION_S / 3600
    words = {
        "not_audio": _("It has no sound that can be read: it is damaged, or no recording."),
        "empty": _("The file holds no audio."),
        "too_long": _("It is longer than the %(hours)g hours that a meeting may have: split it.")
        % {"hours": hours},
        "bad_rate": _("The sample rate must be between 8 and 192 kHz."),
        "bad_channels": _("The file must have between 1 and 8 channels."),
        "not_finite": _("The recording contains values that are not numbers: it was not saved properly."),
        "gone": _("The file is no longer on the server: send it again."),
        "cut_off": _("It can be read only in part; what was said until there is in the meeting."),
        "recognition": _("Recognition failed: what was said until there is in the meeting."),
        "given_up": _("Given up: every worker that tried this stopped unexpectedly."),
    }
    trap = _("This file takes more memory or time than a recording should. Save it again as WAV or MP3.")
    return words.get(reason, trap)
