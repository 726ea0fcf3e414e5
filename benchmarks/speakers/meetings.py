"""Who spoke when, in recordings and in meetings made of recordings: the whole way but for the words.

In place of a recogniser, which would have to know the language, stands one that hears a word every 200 ms;
speech detection, the search for turns, embeddings and tracking are what a live session uses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import count
from typing import Any

import numpy as np

from recognition.audio import samples, seconds
from recognition.core.endpointing import EndpointingOptions
from recognition.core.events import Final, OverlappingSpeech
from recognition.engine.engine import Engine
from recognition.engine.transcriber import Transcriber
from recognition.interfaces import Models, Samples, SessionContext, Token
from speakers.voiceprints.identification import Gallery
from speakers.voiceprints.overlaps import HeardLine
from speakers.voiceprints.tracking import LineMoved, SpeakerTracker, VoicesMerged

from .diarization_error import Errors, Segment, errors
from .people import trimmed

WORD = samples(0.2)


class EveryWord:
    """A recogniser to which everything is words."""

    min_samples = 0

    def recognize(
        self, batch: Sequence[Samples], contexts: Sequence[SessionContext] = ()
    ) -> list[list[Token]]:
        return [
            [
                Token("x", at, min(at + WORD, len(audio)))
                for at in range(0, max(1, len(audio) - WORD // 2), WORD)
            ]
            for audio in batch
        ]


class NoMarks:
    def punctuate(self, batch: Sequence[Sequence[str]]) -> list[list[str]]:
        return [[""] * len(tokens) for tokens in batch]


def without_words(models: Models) -> Models:
    return replace(models, offline=EveryWord(), punctuator=NoMarks())


@dataclass(frozen=True, slots=True)
class Answers:
    """Errors of ours, and of answers that need no voices."""

    at_once: Errors
    """When a line was first shown."""

    revised: Errors
    """After all second thoughts."""

    easy: Errors
    """Of the revised answer: all but a quarter of a second at boundaries, and time in which several speak."""

    one_speaker: Errors
    new_speaker_each: Errors
    overlap_s: float
    """Speech beside somebody else's."""

    def __add__(self, other: Answers) -> Answers:
        return Answers(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


COLLAR_S = 0.25

Utterances = list[list[HeardLine]]
"""Lines as the tracker is told of them; a negative key is of speech without words."""


async def hear(models: Models, audio: np.ndarray) -> Utterances:
    """Find the lines in a recording, and their voices: all but whose they are."""
    utterances: defaultdict[int, list[HeardLine]] = defaultdict(list)
    without_words = count(-1, -1)
    for number, final in enumerate(await _finals(models, audio)):
        utterances[final.utterance].append(_heard(number, final))
        for overlap in final.overlaps:
            utterances[final.utterance].append(_heard(next(without_words), overlap))
    return list(utterances.values())


def _heard(key: int, spoken: Final | OverlappingSpeech) -> HeardLine:
    return HeardLine(key, spoken.embedding, seconds(spoken.speech), spoken.start, spoken.end)


Labels = dict[int, Any]
"""The voice of each line, by its key."""


def follow(utterances: Utterances, gallery: Gallery) -> tuple[Labels, Labels, SpeakerTracker]:
    """Tell whose each line is: at once, and after all second thoughts."""
    tracker = SpeakerTracker(gallery)
    at_once: Labels = {}
    whose: Labels = {}
    for lines in utterances:
        told = tracker.identify_all(lines)
        at_once |= {line.key: decision.voice for line, decision in zip(lines, told, strict=True)}
        whose |= {line.key: decision.voice for line, decision in zip(lines, told, strict=True)}
        revise(whose, tracker)
    return at_once, whose, tracker


def answers(utterances: Utterances, gallery: Gallery, truth: Sequence[Segment], length_s: float) -> Answers:
    """Compare what is told of a meeting with the truth."""
    at_once, revised, _ = follow(utterances, gallery)
    given, last = segments(utterances, at_once), segments(utterances, revised)
    return Answers(
        at_once=errors(truth, given, length_s),
        revised=errors(truth, last, length_s),
        easy=errors(truth, last, length_s, collar_s=COLLAR_S, with_overlap=False),
        one_speaker=errors(truth, segments(utterances, dict.fromkeys(revised, 0)), length_s),
        new_speaker_each=errors(truth, segments(utterances, {key: key for key in revised}), length_s),
        overlap_s=overlap_s(truth, length_s),
    )


def segments(utterances: Utterances, labels: Labels) -> list[Segment]:
    return [
        Segment(seconds(line.start), seconds(line.end), labels[line.key])
        for lines in utterances
        for line in lines
    ]


def overlap_s(truth: Sequence[Segment], length_s: float) -> float:
    """Seconds of speech that are beside somebody else's."""
    spoken = sum(segment.end - segment.start for segment in truth)
    return spoken - errors([replace(segment, speaker=0) for segment in truth], [], length_s).speech


def voices_of(spoken: Sequence[Segment], least_s: float) -> int:
    """How many speak for at least so long."""
    said_s: defaultdict[Any, float] = defaultdict(float)
    for segment in spoken:
        said_s[segment.speaker] += segment.end - segment.start
    return sum(length_s >= least_s for length_s in said_s.values())


def revise(whose: Labels, tracker: SpeakerTracker) -> None:
    for revision in tracker.take_revisions():
        match revision:
            case VoicesMerged(kept, gone):
                for line, voice in whose.items():
                    whose[line] = kept if voice == gone else voice
            case LineMoved(line, voice, _):
                whose[line] = voice


async def _finals(models: Models, audio: np.ndarray) -> list[Final]:
    engine = Engine(without_words(models))
    engine.start()
    transcriber = Transcriber(engine, EndpointingOptions(), partials=False)
    await transcriber.feed_all(audio)
    finals = [event async for event in transcriber.events() if isinstance(event, Final)]
    await engine.aclose()
    return finals


def joined(
    people: dict[str, list[np.ndarray]], random: np.random.Generator, length_s: float = 60
) -> tuple[np.ndarray, list[Segment]]:
    """Make a meeting: turns of 1 to 12 seconds of some of these people, without pauses between them."""
    names = list(random.permutation(sorted(people))[: random.integers(2, 5)])
    pieces: list[np.ndarray] = []
    truth: list[Segment] = []
    at, last = 0.0, ""
    while at < length_s:
        name = str(random.choice([other for other in names if other != last]))
        spoken = trimmed(people[name][random.integers(len(people[name]))])
        length = samples(float(np.clip(np.exp(random.normal(np.log(4), 0.6)), 1, 12)))
        start = int(random.integers(max(1, len(spoken) - length)))
        piece = spoken[start : start + length]
        pieces.append(piece / max(float(np.abs(piece).max()), 0.05) * 0.5)
        truth.append(Segment(at, at + seconds(len(piece)), name))
        at, last = at + seconds(len(piece)), name
    return np.concatenate(pieces), truth
