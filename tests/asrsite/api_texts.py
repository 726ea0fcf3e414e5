"""Writes `asrsite/api_texts.py` anew, after a change to what the API says of itself:

    .venv/bin/python -m tests.asrsite.api_texts

Then `make translations`, and translate what is new.
"""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

FILE = Path(__file__).parents[2] / "asrsite" / "api_texts.py"

HEAD = '''"""Texts of the API's description, to be translated: see `tests/asrsite/api_texts.py`."""

from django.utils.translation import gettext_noop

TEXTS = [
'''


def written(texts: list[str]) -> str:
    """The module for these texts."""
    return HEAD + "".join(map(_entry, texts)) + "]\n"


def _entry(text: str) -> str:
    lines = textwrap.wrap(text, 90, drop_whitespace=False, break_on_hyphens=False)
    if len(lines) == 1:
        return f"    gettext_noop({_quoted(lines[0])}),\n"
    return "    gettext_noop(\n" + "".join(f"        {_quoted(line)}\n" for line in lines) + "    ),\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\")
    return f'"{escaped}"' if '"' not in text else f"'{escaped}'"


def texts_of_the_api() -> list[str]:
    """All that it says, each once, by the alphabet."""
    from asrsite.api import api
    from asrsite.api_reference import texts

    return sorted({text for text in texts(api.get_openapi_schema()) if text})


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")
    django.setup()
    FILE.write_text(written(texts_of_the_api()))
