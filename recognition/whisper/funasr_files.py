"""Files beside the weights by which `funasr.AutoModel(model=DIRECTORY)` finds our recogniser."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

logger = logging.getLogger(__name__)

# FunASR imports the module that is named here before it looks for the class in its tables.
_CONFIG = """\
# Written for funasr.AutoModel, which loads this directory wherever asrsite is installed.
model: WhisperCTranslate2
trust_remote_code: true
remote_code: recognition.funasr.whisper
"""

CONTENTS: Mapping[str, str] = {
    "config.yaml": _CONFIG,
    "configuration.json": json.dumps({"file_path_metas": {"config": "config.yaml"}}) + "\n",
}


def describe(directory: Path) -> None:
    """Write the files that are not there yet; where that cannot be done, only FunASR misses them."""
    for name, content in CONTENTS.items():
        try:
            if not (directory / name).exists():
                _write(directory / name, content)
        except OSError as error:
            logger.debug("%s is not written: %s", directory / name, error)


def _write(file: Path, content: str) -> None:
    """Write a file that others never see half written."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(file)
