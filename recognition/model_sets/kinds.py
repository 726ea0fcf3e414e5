"""The table of kinds: for each role of a model set, the names that `kind` takes and the class behind each.

A family of models is one line here and one module: a class derived from `ModelOptions`, by its dotted path.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from recognition.model_options import ModelOptions
from recognition.tables import Place

KINDS: Mapping[str, Mapping[str, str]] = {
    "vad": {
        "fsmn": "recognition.funasr.options.FsmnOptions",
        "silero": "recognition.funasr.options.SileroOptions",
    },
    "streaming": {
        "paraformer-streaming": "recognition.funasr.options.StreamingOptions",
        "whisper-streaming": "recognition.whisper.options.WhisperStreamingOptions",
    },
    "offline": {
        "paraformer": "recognition.funasr.options.ParaformerOptions",
        "sensevoice": "recognition.funasr.options.SenseVoiceOptions",
        "fun-asr-nano": "recognition.funasr.options.NanoOptions",
        "whisper": "recognition.whisper.options.WhisperOptions",
    },
    "language_model": {"arpa": "recognition.model_sets.arpa.ArpaOptions"},
    "punctuation": {"ct-transformer": "recognition.funasr.options.CtTransformerOptions"},
    "speaker": {
        "funasr": "recognition.funasr.options.SpeakerOptions",
        "campplus": "recognition.funasr.options.CampplusOptions",
    },
    "segmentation": {"pyannote": "recognition.segmentation.options.PyannoteOptions"},
}
"""The first kind of each role is the default."""

ROLES = tuple(KINDS)

REQUIRED_ROLES = ("vad", "offline")
"""Without the others there are no partials but previews, no marks but the recogniser's own, no voices, and
nobody speaks at the same time as somebody else."""

_PACKAGES = {"silero-vad": "silero"}
"""The default for models that come in a package."""


def kind_name(role: str, table: Mapping[str, Any]) -> str:
    """Return the kind that a role's table names, or its default."""
    by_package = _PACKAGES.get(str(table.get("package")))
    return str(table.get("kind") or by_package or next(iter(KINDS[role])))


def find_kind(role: str, name: str, place: Place) -> type[ModelOptions]:
    """Return the class behind a name of the table, or at a dotted path.

    Raises:
        ModelSetError: If there is none.
    """
    path = KINDS[role].get(name, name)
    if "." not in path:
        known = ", ".join(f'"{each}"' for each in KINDS[role])
        raise place.refusal("kind", name, f"{known}, or the dotted path of a class derived from ModelOptions")
    module, _, attribute = path.rpartition(".")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, SyntaxError, AttributeError, ValueError, TypeError) as error:
        raise place.error(f'kind = "{name}" cannot be imported: {error}') from error
    if not (isinstance(found, type) and issubclass(found, ModelOptions)):
        raise place.error(f'kind = "{name}" is no class derived from ModelOptions')
    return found
