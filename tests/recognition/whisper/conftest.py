"""Whisper's vocabulary without its weights, and the real network where it was fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognition.whisper.vocabulary import Vocabulary

from .scripted import write_tokens


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return Vocabulary(write_tokens(tmp_path_factory.mktemp("tokens") / "tokenizer.json"))


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    return write_tokens(tmp_path / "tokenizer.json")
