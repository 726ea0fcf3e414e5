"""Voices learned from a transcript: what a named speaker said, as a recording to enroll."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.db.models import F

from recognition.audio import samples, seconds
from sessions_app.models import Session, Utterance
from sessions_app.recordings import files
from speakers.decoding import MAX_RECORDING_S
from speakers.models import Speaker

MAX_LEARNED_S = 60.0
"""More speech than this tells nothing new about a voice."""

MIN_LINE_S = 1.0
"""Shorter lines are laughs and nods: they tell little, and others often speak over them."""


def lines_to_learn_from(session: Session, speaker: Speaker) -> list[Utterance]:
    """Return the longest lines of somebody in a session, in their order."""
    own = session.utterances.filter(voice__speaker=speaker, is_removed=False)
    long = own.filter(end__gte=F("start") + samples(MIN_LINE_S)).defer("tokens", "machine_text")
    chosen: list[Utterance] = []
    for line in long.order_by(F("start") - F("end"), "start"):
        if speech_s(chosen) >= MAX_LEARNED_S:
            break
        chosen.append(line)
    return sorted(chosen, key=lambda line: line.start)


def speech_s(lines: Iterable[Utterance]) -> float:
    """Return how long lines are together."""
    return seconds(sum(line.end - line.start for line in lines))


def said(lines: Iterable[Utterance]) -> np.ndarray:
    """Return the audio of lines in a row: float32 in [-1, 1], shape (n,); no longer than an upload."""
    heard = [np.empty(0, np.int16)]
    for line in lines:
        heard.append(files.read(line.session_id, line.start, line.end))
        if sum(map(len, heard)) >= samples(MAX_RECORDING_S):
            break
    audio = np.concatenate(heard)[: samples(MAX_RECORDING_S)]
    return files.to_float32(audio)
