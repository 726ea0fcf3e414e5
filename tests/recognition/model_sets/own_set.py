"""A set file of an operator's own, on small models with random weights."""

from __future__ import annotations

from pathlib import Path

TEXT = """
title = "Our own"

[endpointing]
threshold = 0.8
end_silence_ms = 600

[vad]
title = "VAD"
path = "VAD"
licence = "MIT"

[streaming]
title = "First pass"
path = "STREAMING"
licence = "MIT"
options = { chunk = 20 }

[offline]
title = "Second pass"
path = "OFFLINE"
licence = "MIT"

[punctuation]
title = "Punctuation"
path = "PUNCTUATION"
licence = "MIT"

[speaker]
title = "Voices"
path = "SPEAKER"
licence = "MIT"
"""

NAMES = {
    "vad": "fsmn-vad",
    "streaming": "paraformer-zh-streaming",
    "offline": "paraformer-zh-plain",
    "punctuation": "ct-punc",
    "speaker": "cam++",
}
"""Of `benchmarks.full_size_models.WRITERS`."""

LANGUAGE_MODEL = """
[language_model]
title = "Words"
path = "words"
licence = "MIT"
"""


def write(folder: Path, text: str, name: str = "own") -> str:
    """Write a set's file and return its path."""
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def own_text(**directories: Path) -> str:
    """Return the text with the directories of models that are made when they are asked for."""
    from tests.recognition.funasr.random_models import model_path

    text = TEXT
    for role, name in NAMES.items():
        text = text.replace(f'"{role.upper()}"', f'"{directories.get(role) or model_path(name)}"')
    return text


def without(text: str, role: str) -> str:
    """Return the text without one of its tables."""
    tables = text.split("\n[")
    return "\n[".join(table for table in tables if not table.startswith(f"{role}]"))
