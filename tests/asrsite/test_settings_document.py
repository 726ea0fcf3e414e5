"""docs/settings.md lists what the settings read."""

from __future__ import annotations

import re

from tests.support.server import ROOT


def test_every_variable_is_listed_and_no_other() -> None:
    source = (ROOT / "asrsite" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    listed = set(re.findall(r"`([A-Z_]+)`", "\n".join(
        line.split("|")[1] for line in (ROOT / "docs" / "settings.md").read_text().splitlines()
        if line.startswith("| `")
    )))  # fmt: skip
    assert listed == read
