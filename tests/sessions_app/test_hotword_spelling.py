"""Words that models cannot write are named before anybody speaks."""

from __future__ import annotations

from typing import Any

import pytest

from recognition.hotwords import Hotword
from sessions_app import hotword_spelling


@pytest.fixture(autouse=True)
def embedded(settings: Any) -> None:
    settings.MODEL_SETS = ["embedded"]


def test_words_with_characters_that_a_set_lacks_are_named() -> None:
    words = [Hotword("王磊"), Hotword("王燊"), Hotword("Kubernetes 实时字幕")]

    found = hotword_spelling.lacking("embedded", words)

    assert found == {"王燊": ["燊"], "Kubernetes 实时字幕": ["Kubernetes"]}
    assert hotword_spelling.refusal("embedded", words).startswith(
        "These models cannot write some hotwords: 王燊 (燊); Kubernetes 实时字幕 (Kubernetes)."
    )


def test_of_a_set_that_nobody_serves_nothing_is_known() -> None:
    assert hotword_spelling.lacking("other", [Hotword("王燊")]) == {}
    assert hotword_spelling.refusal("other", [Hotword("王燊")]) == ""
