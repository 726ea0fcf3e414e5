"""Recordings on their way to becoming voiceprints, for tests of what is done with them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import soundfile
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from recognition.audio import SAMPLE_RATE
from speakers import enrollment
from speakers.fields import seal
from speakers.models import Enrollment, Speaker, Voiceprint
from speakers.voiceprints.assessment import Problem

VOICE = np.array([0.6, 0.8, 0.0, 0.0], np.float32)


def wav(seconds: float = 4.0) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(int(seconds * SAMPLE_RATE), np.float32), SAMPLE_RATE, format="WAV")
    return SimpleUploadedFile("voice.wav", buffer.getvalue(), "audio/wav")


def judge(draft: Enrollment, *problems: Problem, nearest: Any = ()) -> Enrollment:
    """As a worker would."""
    draft.verdict = {
        "length_s": 12.0, "speech_s": 9.5, "snr_db": 31.0, "clipped": 0.0, "likeness": 4.0,
        "nearest": list(nearest), "problems": list(problems),
    }  # fmt: skip
    draft.model_id, draft.sealed_embedding = "model-1", seal(VOICE)
    draft.save()
    return draft


def begin(speaker: Speaker, user: User, *problems: Problem, **verdict: Any) -> Enrollment:
    draft = enrollment.begin(
        np.zeros(SAMPLE_RATE, np.float32), source=Voiceprint.Source.UPLOAD, by=user, speaker=speaker
    )
    return judge(draft, *problems, **verdict)
