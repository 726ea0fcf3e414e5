"""The enrolled voices as a worker knows them: read once, then kept in step by reading only what changed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from django.db.models import Max, Q
from django.utils import timezone

from speakers.voiceprints.identification import Enrolled, Gallery, unit
from speakers.voiceprints.scoring import Cohort, Scoring

from . import calibration
from .fields import unseal
from .gallery_changes import CALIBRATION
from .models import GalleryChange, Voiceprint, VoiceprintEmbedding

logger = logging.getLogger(__name__)

LATE = 1000
"""Changes looked at again each time: a transaction may become visible after one that began later."""

MAX_WEIGHT_S = 20.0
"""A voiceprint with more speech than this counts like one with this much."""


class GalleryReader:
    """Reader that keeps a gallery in step with the database. For one thread at a time.

    Args:
        model_id: Only voiceprints of this model are read.
        dimension: Of its embeddings.
    """

    def __init__(self, model_id: str, dimension: int) -> None:
        self.gallery = Gallery(model_id, Scoring(Cohort.unknown(dimension)), dimension)
        self._last: int | None = None  # newest change seen; None before the first refresh
        self._seen: set[int] = set()  # changes seen among the latest

    def refresh(self) -> bool:
        """Read what changed, and return whether anything did.

        Raises:
            Undecipherable: If the key of the voiceprints is gone.
        """
        if self._last is None:
            # How far the changes are comes first: what changes while we read is read again.
            last = GalleryChange.objects.aggregate(last=Max("pk"))["last"] or 0
            seen = set(GalleryChange.objects.filter(pk__gt=last - LATE).values_list("pk", flat=True))
            self._read_all()
            self._last, self._seen = last, seen
            return True
        changes = dict(GalleryChange.objects.filter(pk__gt=self._last - LATE).values_list("pk", "speaker"))
        speakers = {speaker for change, speaker in changes.items() if change not in self._seen}
        if CALIBRATION in speakers:
            self._read_all()
        elif speakers:
            gone: dict[int, Enrolled | None] = dict.fromkeys(speakers)
            self.gallery = self.gallery.changed(gone | read_voices(self.gallery, speakers))
        if speakers:
            self._last = max(changes)
            self._seen = {change for change in changes if change > self._last - LATE}
        return bool(speakers)

    def _read_all(self) -> None:
        scoring = calibration.scoring(self.gallery.model_id, self.gallery.dimension)
        empty = Gallery(self.gallery.model_id, scoring, self.gallery.dimension)
        self.gallery = empty.changed(read_voices(empty))


def read_voices(gallery: Gallery, speaker_pks: Collection[int] | None = None) -> dict[int, Enrolled]:
    """Read how enrolled speakers sound: the mean of each one's voiceprints, by key of the speaker.

    Args:
        gallery: Says which model and dimension.
        speaker_pks: Only these.
    """
    sums: dict[int, np.ndarray] = {}
    seconds: defaultdict[int, float] = defaultdict(float)
    for speaker, sealed, speech_s in _embeddings(gallery.model_id, speaker_pks):
        embedding = unseal(sealed)
        if embedding.shape != (gallery.dimension,):
            logger.error(
                "a voiceprint of speaker %s has %d dimensions, the model %s has %d: it is left out",
                speaker,
                len(embedding),
                gallery.model_id,
                gallery.dimension,
            )
            continue
        weighted = unit(embedding) * min(speech_s, MAX_WEIGHT_S)
        sums[speaker] = sums[speaker] + weighted if speaker in sums else weighted
        seconds[speaker] += speech_s
    return {speaker: Enrolled(total, seconds[speaker]) for speaker, total in sums.items()}


def _embeddings(model_id: str, speaker_pks: Collection[int] | None) -> Iterator[tuple[int, Any, float]]:
    """Yield speaker, sealed embedding and seconds of speech of all voiceprints that this model has heard."""
    own = Voiceprint.objects.filter(_in_force("consent"), model_id=model_id)
    added = VoiceprintEmbedding.objects.filter(_in_force("voiceprint__consent"), model_id=model_id)
    added = added.exclude(sealed_embedding=None)
    if speaker_pks is not None:
        own = own.filter(speaker__in=speaker_pks)
        added = added.filter(voiceprint__speaker__in=speaker_pks)
    yield from own.values_list("speaker", "sealed_embedding", "speech_s").iterator(2000)
    yield from added.values_list("voiceprint__speaker", "sealed_embedding", "speech_s").iterator(2000)


def _in_force(consent: str) -> Q:
    expires = f"{consent}__expires_at"
    return Q(**{expires: None}) | Q(**{f"{expires}__gt": timezone.now()})
