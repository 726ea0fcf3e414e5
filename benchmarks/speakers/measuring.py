"""All figures of one model set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np

from recognition.audio import seconds
from recognition.engine.engine import Engine
from recognition.interfaces import Models, SpeakerEmbedder
from speakers import calibration, listening
from speakers.voiceprints import trials
from speakers.voiceprints.fitting import fit
from speakers.voiceprints.identification import Gallery
from speakers.voiceprints.scoring import Cohort, Scoring
from speakers.voiceprints.trials import Material

from . import excerpts, long_meetings, meetings, pairs, people, published, rooms, scale
from .acoustics import Acoustics
from .cost import recognition_cost_ratio
from .diarization_error import Errors, Segment, errors
from .excerpts import Excerpt
from .long_meetings import LongMeeting
from .meetings import Answers

LONG_MEETINGS = 4
PODCASTS = 8
ROOMS, ROOM_S = 6, 120.0
LONG_ROOMS, LONG_ROOM_S = 2, 480.0
THREE_HOURS_S, TWO_HOURS_S = 3 * 3600.0, 2 * 3600.0
MIN_VOICE_S = 5.0
"""Whoever speaks less in a long room is no voice to be counted."""

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Half:
    """Half of the people: the other half has taught how to compare them."""

    gallery: Gallery
    people: dict[str, list[np.ndarray]]


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting whose truth is known, as it was heard."""

    utterances: meetings.Utterances
    truth: list[Segment]
    length_s: float

    def answers(self, gallery: Gallery) -> Answers:
        return meetings.answers(self.utterances, gallery, self.truth, self.length_s)


def measure(models: Models, assets: Path, *, ship: bool) -> Figures:
    """Measure everything that a set with an embedder is judged by."""
    embedder = models.embedder
    assert embedder
    material, cohort = asyncio.run(_listen(models, assets))
    everybody = fit(material.pieces, cohort)
    if ship:
        print(f"written: {calibration.ship(embedder.model_id, everybody)}")
    spoken = people.by_person(assets, people.TEST_PEOPLE)
    halves = _halves(embedder, material, cohort, spoken)
    return {
        "model": embedder.model_id,
        **_identification(material, cohort),
        **_pairs(pairs.measure(embedder, cohort, assets)),
        **_excerpts(models, _gallery(embedder, everybody), assets),
        **_published(models, assets),
        **_made(models, halves, Acoustics.read(assets)),
        **_hours(halves, spoken, embedder),
        **_scale(),
        "recognition_cost_ratio": recognition_cost_ratio(models, _several(assets)),
    }


async def _listen(models: Models, assets: Path) -> tuple[Material, Cohort]:
    engine = Engine(models)
    engine.start()
    material = await listening.gather(engine, people.recordings(assets, people.TEST_PEOPLE))
    others = await listening.gather(engine, people.recordings(assets, *people.COHORT), pieces=False)
    await engine.aclose()
    return material, Cohort.of(others.voices.embeddings)


def _gallery(embedder: SpeakerEmbedder, scoring: Scoring) -> Gallery:
    return Gallery(embedder.model_id, scoring, embedder.dimension)


def _halves(
    embedder: SpeakerEmbedder, material: Material, cohort: Cohort, spoken: dict[str, list[np.ndarray]]
) -> list[Half]:
    names = sorted(spoken)
    found = []
    for learnt, tried in ((names[::2], names[1::2]), (names[1::2], names[::2])):
        scoring = fit(material.of(np.array(learnt)).pieces, cohort)
        found.append(Half(_gallery(embedder, scoring), {name: spoken[name] for name in tried}))
    return found


def _identification(material: Material, cohort: Cohort) -> Figures:
    measured = trials.measure(material, cohort)
    pooled = trials.try_out(material, Scoring(cohort))
    wrong = _mean(measured.errors.values())
    return {
        "people": measured.people,
        **{f"eer_{length:.0f}s": rate for length, rate in measured.eer.items()},
        "closed_set_accuracy": pooled.accuracy,
        **{f"closed_set_accuracy_{length:.0f}s": share for length, share in measured.accuracy.items()},
        "open_set_false_accepts": wrong["false_accepts"],
        "open_set_false_rejects": wrong["false_rejects"],
        "open_set_wrong_names": wrong["wrong_names"],
        "open_set_by_seconds": {f"{length:.0f}": asdict(found) for length, found in measured.errors.items()},
    }


def _pairs(found: pairs.ErrorRates) -> Figures:
    kinds = (("single", found.near), ("far", found.far), ("mandarin", found.mandarin))
    return {f"eer_{kind}_{length:.0f}s": rate for kind, rates in kinds for length, rate in rates.items()}


def _excerpts(models: Models, gallery: Gallery, assets: Path) -> Figures:
    """The excerpts of AMI meetings: those that nothing was tuned on, and all."""
    answered = [
        (excerpt.is_held_out, _heard(models, excerpt.audio, excerpt.truth).answers(gallery))
        for excerpt in excerpts.all_of(assets)
    ]
    held_out = _sum(found for is_held_out, found in answered if is_held_out)
    every = _sum(found for _, found in answered)
    return _rates("der_heldout", held_out) | _rates("der_all", every) | {"der": held_out.revised.rate}


def _published(models: Models, assets: Path) -> Figures:
    """The held-out excerpts as others would answer them; without a segmenter they have no way."""
    segmenter, embedder = models.segmenter, models.embedder
    if segmenter is None or embedder is None:
        return {}
    held_out = [excerpt for excerpt in excerpts.all_of(assets) if excerpt.is_held_out]
    figures: Figures = {}
    for name, way in (("clustered", published.clustered), ("incremental", published.incremental)):
        told = [(each, way(segmenter, embedder, each.audio)) for each in held_out]
        figures |= _published_rates(f"published_{name}_der", told)
    return figures


def _published_rates(name: str, told: Sequence[tuple[Excerpt, list[Segment]]]) -> Figures:
    lengths = [(each.truth, answer, seconds(len(each.audio))) for each, answer in told]
    strict = reduce(add, [errors(*each) for each in lengths])
    easy = [errors(*each, collar_s=meetings.COLLAR_S, with_overlap=False) for each in lengths]
    return {name: strict.rate, f"{name}_easy": reduce(add, easy).rate}


def _made(models: Models, halves: Sequence[Half], acoustics: Acoustics) -> Figures:
    """Meetings made of recordings."""

    def answered(count: int, made: Any) -> list[tuple[Meeting, Half]]:
        return [
            (_heard(models, *made(half.people, seed)), half) for half in halves for seed in range(count // 2)
        ]

    def room(length_s: float) -> Any:
        return lambda spoken, seed: rooms.made(spoken, acoustics, seed=seed, length_s=length_s)

    joined = answered(PODCASTS, lambda spoken, seed: meetings.joined(spoken, np.random.default_rng(seed)))
    short, long = answered(ROOMS, room(ROOM_S)), answered(LONG_ROOMS, room(LONG_ROOM_S))
    figures: Figures = {}
    for name, made in (("joined_der", joined), ("room_der", short), ("long_room_der", long)):
        figures |= _rates(name, _sum(meeting.answers(half.gallery) for meeting, half in made))
    voices = [_voices(meeting, half.gallery) for meeting, half in long]
    return figures | {"long_room_voices": voices, "long_room_people": [rooms.PEOPLE] * len(voices)}


def _voices(meeting: Meeting, gallery: Gallery) -> int:
    _, revised, _ = meetings.follow(meeting.utterances, gallery)
    return meetings.voices_of(meetings.segments(meeting.utterances, revised), MIN_VOICE_S)


def _hours(halves: Sequence[Half], spoken: dict[str, list[np.ndarray]], embedder: SpeakerEmbedder) -> Figures:
    """Meetings of hours: ten voices are all there are, so half of them have taught."""
    lines = long_meetings.lines_of(spoken, embedder)
    eight = lines.take(np.isin(lines.speakers, sorted(spoken)[:8]))
    each = [(half.gallery, seed) for half in halves for seed in range(LONG_MEETINGS // 2)]
    three = [
        long_meetings.three_hours(known, lines, seed=seed, length_s=THREE_HOURS_S) for known, seed in each
    ]
    two = [long_meetings.talking_over(known, eight, seed=seed, length_s=TWO_HOURS_S) for known, seed in each]
    return _of_hours("three_hours", three) | _of_hours("talking_over", two)


def _of_hours(name: str, held: Sequence[LongMeeting]) -> Figures:
    return {
        f"{name}_right": float(np.mean([meeting.right for meeting in held])),
        f"{name}_right_at_once": float(np.mean([meeting.right_at_once for meeting in held])),
        f"{name}_voices": float(np.mean([meeting.voices for meeting in held])),
        f"{name}_lines": float(np.mean([meeting.lines for meeting in held])),
        f"{name}_line_ms": float(np.median([meeting.line_ms for meeting in held])),
        f"{name}_cost_ratio": float(np.median([meeting.cost_ratio for meeting in held])),
        f"{name}_kept_lines": max(meeting.kept_lines for meeting in held),
    }


def _scale() -> Figures:
    large = scale.measure()
    return {
        "identify_100k_ms": large.line_ms,
        "identify_100k_one_voice_ms": large.identify_ms,
        "enroll_100k_ms": large.enroll_ms,
        "gallery_100k_mb": large.memory_mb,
    }


def _several(assets: Path) -> list[np.ndarray]:
    return [excerpt.audio for excerpt in excerpts.all_of(assets) if excerpt.is_held_out]


def _heard(models: Models, audio: np.ndarray, truth: list[Segment]) -> Meeting:
    return Meeting(asyncio.run(meetings.hear(models, audio)), truth, seconds(len(audio)))


def _sum(found: Iterable[Answers]) -> Answers:
    return reduce(add, found)


def _rates(name: str, found: Answers) -> Figures:
    revised: Errors = found.revised
    return {
        name: revised.rate,
        f"{name}_live": found.at_once.rate,
        f"{name}_easy": found.easy.rate,
        f"{name}_one_speaker": found.one_speaker.rate,
        f"{name}_new_speaker_each": found.new_speaker_each.rate,
        f"{name}_missed": revised.missed / revised.speech,
        f"{name}_false_alarm": revised.false_alarm / revised.speech,
        f"{name}_confusion": revised.confusion / revised.speech,
        f"{name}_overlap": found.overlap_s / revised.speech,
    }


def _mean(errors: Iterable[Any]) -> dict[str, float]:
    rows = [asdict(found) for found in errors]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
