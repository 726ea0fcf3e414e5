"""Measured figures of the sets that come with the product, and the languages that they understand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement, as a share."""

    kind: str
    """`cer_people`, `cer_noise`, `cer_synthetic` (characters wrong), or `processor` (of one core's time)."""

    share: float
    source: str
    """The file in `benchmarks/results/` and its key, or whose figure it is."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Languages and figures of a set, known without loading it."""

    languages: tuple[str, ...]
    figures: tuple[Figure, ...]


MEASURED: Mapping[str, Measured] = {
    "people": Measured(
        ("zh", "en"),
        (
            Figure("cer_people", 0.1221, "people.json: cer_aishell1"),
            Figure("cer_noise", 0.1355, "people.json: cer_noise_10db"),
            Figure("processor", 0.2325, "people.json: cpu_ms_partials"),
        ),
    ),
    "paraformer-zh": Measured(("zh",), (Figure("cer_people", 0.02, "FunASR"),)),
    "fun-asr-nano": Measured(("zh", "en", "ja"), (Figure("cer_people", 0.018, "FunASR"),)),
    "sensevoice": Measured(("zh", "yue", "en", "ja", "ko"), ()),
    "embedded": Measured(
        ("zh",),
        (
            Figure("cer_synthetic", 0.036, "models.json: cer_unseen_voices"),
            Figure("cer_people", 0.8916, "models.json: cer_people"),
            Figure("processor", 0.0176, "embedded.json: real_time_factor"),
        ),
    ),
}
"""By the names of the sets; an operator's own set has none until `manage.py models check` measures it."""
