"""How often it is right who is speaking, and what that costs.

    ASR_ASSETS=FOLDER python -m benchmarks.speakers [--models NAME] [--ship]

Recordings are at ASR_ASSETS, see `people`. The people measured on are unknown to the embedded models. What
must be learnt from people, cohort and calibration, is learnt from others than those it is tried on.
With `--ship`, a calibration learnt from all is written to `speakers/calibrations/`, to come with the model.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import django
import numpy as np

from recognition.engine.engine import Engine
from recognition.exceptions import ModelError
from recognition.interfaces import Models
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set

from .. import results

LONG_MEETINGS = 4
PODCASTS = 8


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speakers", description=__doc__)
    parser.add_argument("--models", default=os.environ.get("ASR_MODELS", "embedded"), metavar="NAME")
    parser.add_argument("--ship", action="store_true", help="write the calibration that comes with the model")
    options = parser.parse_args()
    assets = os.environ.get("ASR_ASSETS")
    if not assets:
        sys.exit("Set ASR_ASSETS to a folder of recordings with a manifest.json.")
    try:
        models = load_models(read_model_set(options.models), Path("var/models"))
    except ModelError as error:
        sys.exit(str(error))
    results.write("speakers", report(models, Path(assets), ship=options.ship))


def report(models: Models, assets: Path, *, ship: bool = False) -> dict[str, Any]:
    """All figures; prints a verdict."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")
    django.setup()
    figures = asyncio.run(measure(models, assets, ship=ship))
    print(
        f"{figures['model']}: equal error {figures['eer_1s']:.1%} at 1 s, {figures['eer_3s']:.1%} at 3 s, "
        f"{figures['eer_5s']:.1%} at 5 s; right of ten people {figures['closed_set_accuracy']:.1%}; "
        f"strangers named {figures['open_set_false_accepts']:.1%}; diarization error {figures['der']:.1%} "
        f"(one speaker {figures['der_one_speaker']:.1%}), without pauses {figures['joined_der']:.1%}; "
        f"{figures['three_hours_right']:.1%} right after three hours; "
        f"a line among 100,000 voices {figures['identify_100k_ms']:.1f} ms"
    )
    return figures


async def measure(models: Models, assets: Path, *, ship: bool) -> dict[str, Any]:
    # They need Django's settings.
    from speakers import calibration, listening
    from speakers.voiceprints import trials
    from speakers.voiceprints.fitting import fit
    from speakers.voiceprints.identification import Gallery
    from speakers.voiceprints.scoring import Cohort, Scoring

    from . import meetings, people, scale
    from .diarization_error import Errors

    embedder = models.embedder
    assert embedder
    engine = Engine(models)
    engine.start()
    material = await listening.gather(engine, people.recordings(assets, people.TEST_PEOPLE))
    others = await listening.gather(engine, people.recordings(assets, *people.COHORT), pieces=False)
    await engine.aclose()
    cohort = Cohort.of(others.voices.embeddings)
    everybody = fit(material.pieces, cohort)
    if ship:
        print(f"written: {calibration.ship(embedder.model_id, everybody)}")

    def gallery(scoring: Scoring) -> Gallery:
        return Gallery(embedder.model_id, scoring, embedder.dimension)

    measured = trials.measure(material, cohort)
    pooled = trials.try_out(material, Scoring(cohort))
    errors = _mean(measured.errors.values())
    figures: dict[str, Any] = {
        "model": embedder.model_id,
        "people": measured.people,
        **{f"eer_{length:.0f}s": rate for length, rate in measured.eer.items()},
        "closed_set_accuracy": pooled.accuracy,
        **{f"closed_set_accuracy_{length:.0f}s": share for length, share in measured.accuracy.items()},
        "open_set_false_accepts": errors["false_accepts"],
        "open_set_false_rejects": errors["false_rejects"],
        "open_set_wrong_names": errors["wrong_names"],
        "open_set_by_seconds": {f"{length:.0f}": asdict(found) for length, found in measured.errors.items()},
    }

    def rates(prefix: str, found: meetings.Answers) -> dict[str, float]:
        ours: Errors = found.ours
        return {
            prefix: ours.rate,
            f"{prefix}_one_speaker": found.one_speaker.rate,
            f"{prefix}_new_speaker_each": found.new_speaker_each.rate,
            f"{prefix}_missed": ours.missed / ours.speech,
            f"{prefix}_false_alarm": ours.false_alarm / ours.speech,
            f"{prefix}_confusion": ours.confusion / ours.speech,
            f"{prefix}_overlap": found.overlap_s / ours.speech,
        }

    figures |= rates("der", await meetings.ami(models, gallery(everybody), assets))

    # Half of the ten people teach how to compare the voices of the other half.
    spoken = people.by_person(assets, people.TEST_PEOPLE)
    lines = meetings.lines_of(spoken, embedder)
    names = sorted(spoken)
    answers: list[meetings.Answers] = []
    long: list[meetings.LongMeeting] = []
    for learnt, tried in ((names[::2], names[1::2]), (names[1::2], names[::2])):
        half = gallery(fit(material.of(np.array(learnt)).pieces, cohort))
        theirs = {name: spoken[name] for name in tried}
        for seed in range(PODCASTS // 2):
            answers.append(await meetings.joined(models, half, theirs, seed=seed))
        # Ten voices are all there are: here, half of them have taught.
        long += [meetings.three_hours(half, lines, seed=seed) for seed in range(LONG_MEETINGS // 2)]
    figures |= rates("joined_der", sum(answers[1:], answers[0]))
    figures |= {
        "three_hours_right": float(np.mean([meeting.right for meeting in long])),
        "three_hours_right_at_once": float(np.mean([meeting.right_at_once for meeting in long])),
        "three_hours_voices": float(np.mean([meeting.voices for meeting in long])),
        "three_hours_lines": float(np.mean([meeting.lines for meeting in long])),
        "three_hours_line_ms": float(np.median([meeting.line_ms for meeting in long])),
        "three_hours_cost_ratio": float(np.median([meeting.cost_ratio for meeting in long])),
        "three_hours_kept_lines": max(meeting.kept_lines for meeting in long),
    }
    large = scale.measure()
    figures |= {
        "identify_100k_ms": large.line_ms,
        "identify_100k_one_voice_ms": large.identify_ms,
        "enroll_100k_ms": large.enroll_ms,
        "gallery_100k_mb": large.memory_mb,
    }
    return figures


def _mean(errors: Iterable[Any]) -> dict[str, float]:
    rows = [asdict(found) for found in errors]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


if __name__ == "__main__":
    main()
