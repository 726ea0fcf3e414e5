"""Calibration of one model's comparisons: measured on voices, kept by the model's id.

Some come with the project, in `calibrations/`. What `manage.py calibrate_speakers` finds on an installation's
own voices is kept in its database and comes first. A model of which nothing is known gets cautious guesses.
"""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path

import numpy as np
from django.db import transaction

from speakers.voiceprints.fitting import Lines
from speakers.voiceprints.identification import IdentificationOptions, unit
from speakers.voiceprints.scoring import Cohort, Scoring, from_probability, probability
from speakers.voiceprints.tracking import TrackingOptions
from speakers.voiceprints.trials import Measured

from .encryption import decrypt, encrypt
from .gallery_changes import CALIBRATION, gallery_changed
from .models import Calibration

COHORT = 20
"""Fewer people than this do not show what voices have in common."""

SHIPPED = Path(__file__).with_name("calibrations")


def scoring(model_id: str, dimension: int) -> Scoring:
    """Return the scoring of this model's voices.

    Raises:
        Undecipherable: If the installation's own calibration cannot be read.
    """
    own = Calibration.objects.filter(model_id=model_id).exclude(sealed_scoring=None).first()
    if own and own.sealed_scoring:
        return unpack(decrypt(bytes(own.sealed_scoring)))
    return shipped(model_id, dimension)


def shipped(model_id: str, dimension: int) -> Scoring:
    """Return the scoring that comes with the project, or a cautious guess."""
    if (file := _file(model_id)).exists():
        return unpack(file.read_bytes())
    return Scoring(Cohort.unknown(dimension))


def options(model_id: str) -> TrackingOptions:
    """Return the limits at which a voice gets a name."""
    own = Calibration.objects.filter(model_id=model_id).first()
    if own is None:
        return TrackingOptions()
    return TrackingOptions(
        IdentificationOptions(from_probability(own.threshold), own.margin, own.shortest_speech_s)
    )


def cohort(model_id: str, voices: Lines) -> Cohort:
    """Return what voices have in common to this model: as it came with it, else as these people show it.

    Args:
        voices: One per recording, of any number of people.
    """
    if (file := _file(model_id)).exists():
        return unpack(file.read_bytes()).cohort
    people = [voices.take(voices.speakers == person) for person in np.unique(voices.speakers)]
    if len(people) < COHORT:
        return Cohort.unknown(voices.embeddings.shape[1])
    return Cohort.of(np.stack([unit(lines.seconds @ lines.embeddings) for lines in people]))


def keep(model_id: str, scoring: Scoring, options: IdentificationOptions, measured: Measured) -> None:
    """Use these from now on, here: every worker takes them over within seconds."""
    with transaction.atomic():
        Calibration.objects.update_or_create(
            model_id=model_id,
            defaults={
                "threshold": probability(options.threshold),
                "margin": options.margin,
                "shortest_speech_s": options.shortest_speech_s,
                "sealed_scoring": encrypt(pack(scoring)),
                "measured": asdict(measured),
            },
        )
        gallery_changed(CALIBRATION)


def change(calibration: Calibration) -> None:
    """Save what a person set: every worker takes it over within seconds."""
    with transaction.atomic():
        calibration.save()
        gallery_changed(CALIBRATION)


def pack(scoring: Scoring) -> bytes:
    """Return a scoring as bytes, to keep."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        mean=scoring.cohort.mean.astype(np.float32),
        covariance=scoring.cohort.covariance.astype(np.float32),
        weights=np.array([scoring.slope, scoring.bias, scoring.offset]),
    )
    return buffer.getvalue()


def unpack(data: bytes) -> Scoring:
    """Return the scoring that `pack` made bytes of."""
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        slope, bias, offset = kept["weights"].tolist()
        return Scoring(Cohort(kept["mean"], kept["covariance"]), slope, bias, offset)


def ship(model_id: str, scoring: Scoring) -> Path:
    """Let it come with the project."""
    SHIPPED.mkdir(exist_ok=True)
    _file(model_id).write_bytes(pack(scoring))
    return _file(model_id)


def _file(model_id: str) -> Path:
    name = "".join(c if c.isalnum() or c in "-_.@" else "_" for c in model_id)
    return SHIPPED / f"{name}.npz"
