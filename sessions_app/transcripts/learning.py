"""Voices learned from a transcript: what a named speaker said, as a recording to enroll."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.db.models import F

from recognition.audio import samples, seconds
from sessions_app.models import Overlap, Session, Utterance
from sessions_app.recordings import files
from speakers.decoding import MAX_RECORDING_S
from speakers.models import Speaker

from .speech_spans import Speech

MAX_LEARNED_S = 60.0
"""More speech than this tells nothing new about a voice."""

MIN_LINE_S = 1.0
"""Shorter lines are laughs and nods: they tell little, and others often speak over them."""


MIN_OVERLAP_S = 0.2
"""Others who speak for less than this at the edge of a line are none of it."""


def lines_to_learn_from(session: Session, speaker: Speaker) -> list[Utterance]:
    """Return the longest lines of somebody in a session, in their order; without those that others speak in.

    Where others always speak too, these must do: the verdict on the recording will say so.
    """
    own = session.utterances.filter(voice__speaker=speaker, is_removed=False)
    long = own.filter(end__gte=F("start") + samples(MIN_LINE_S)).defer("tokens", "machine_text")
    lines = list(long.order_by(F("start") - F("end"), "start"))
    others = _speech_of_others(session, speaker)
    at_least = samples(MIN_OVERLAP_S)
    alone = [line for line in lines if not others.sounds_in((line.start, line.end), at_least=at_least)]
    chosen: list[Utterance] = []
    for line in alone or lines:
        if speech_s(chosen) >= MAX_LEARNED_S:
            break
        chosen.append(line)
    return sorted(chosen, key=lambda line: line.start)


def _speech_of_others(session: Session, speaker: Speaker) -> Speech:
    """Read when anybody else speaks, with words or without."""
    lines = session.utterances.filter(is_removed=False).exclude(voice__speaker=speaker)
    overlaps = Overlap.objects.filter(utterance__session=session).exclude(voice__speaker=speaker)
    return Speech([*lines.values_list("start", "end"), *overlaps.values_list("start", "end")])


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
