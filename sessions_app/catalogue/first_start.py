"""The first start of an installation: its list is empty, but not for long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FirstStart:
    """Facts about this process that its pages need on the first day."""

    is_sample_coming: bool = False
    """It is about to stream the sample meeting; until then there is nothing to see."""


FIRST_START = FirstStart()
