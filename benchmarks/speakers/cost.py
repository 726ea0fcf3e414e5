"""The cost of hearing several at once: recognition with the segmenter over recognition without it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from recognition.core.endpointing import EndpointingOptions
from recognition.evaluation.measuring import Evaluation, Recording
from recognition.interfaces import Models

TURNS = 3


def recognition_cost_ratio(
    models: Models, meetings: Sequence[np.ndarray], *, clock: Callable[[], float] = time.process_time
) -> float:
    """Return the processor's time of the whole recognition with a segmenter over that without one.

    Both stages of text and both kinds of voices are in it, partials too. Measured in turns: the median of the
    ratios. 1 for models without a segmenter.

    Args:
        meetings: Audio, each float32 of shape (n,), 16 kHz.
        clock: Tells seconds.
    """
    if not models.segmenter:
        return 1.0
    recorded = [Recording(audio, "", "") for audio in meetings]
    without = replace(models, segmenter=None)
    return median(
        _spent_s(models, recorded, clock) / _spent_s(without, recorded, clock) for _ in range(TURNS)
    )


def _spent_s(models: Models, recorded: Sequence[Recording], clock: Callable[[], float]) -> float:
    started = clock()
    Evaluation(models, EndpointingOptions()).transcribe("voices", recorded)
    return clock() - started
