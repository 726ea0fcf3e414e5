"""Which models recognise: a set names one for each role, where it lives, and how it is to be used.

A set is a TOML file beside this module, or one of the operator's own. Reading it loads no model; only
`load_models` imports torch and FunASR.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from recognition.core.endpointing import EndpointingOptions
from recognition.exceptions import ModelError
from recognition.fakes.checksum import checksum_models
from recognition.fakes.scripted import Script, ScriptedLine, scripted_models
from recognition.interfaces import Models

ROLES = ("vad", "streaming", "offline", "punctuation", "speaker")

OPTIONAL_ROLES = ("language_model",)
"""What a set may have besides."""

_BUILT_IN = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One model of a set.

    Exactly one of `package`, `path` and `hub` says where it comes from.
    """

    role: str
    title: str
    licence: str
    package: str = ""
    """Name of the Python package that brings the weights along."""

    path: str = ""
    """Directory, relative to that of the set's file."""

    hub: str = ""
    """Id on ModelScope's hub."""

    revision: str = "master"
    size: int = 0
    """Bytes of the files together, about."""

    sha256: Mapping[str, str] = field(default_factory=dict)
    """Hash of each file for which it is known."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """What the implementation of the role takes besides."""

    def directory(self, set_file: Path, models_dir: Path) -> Path | None:
        """Where the model's files lie; None for a model in a package."""
        if self.package:
            return None
        if self.path:
            return set_file.parent / self.path
        return models_dir / self.hub / self.revision


@dataclass(frozen=True, slots=True)
class ModelSet:
    """One model for each role, and what some sets have besides."""

    name: str
    file: Path
    title: str
    description: str
    sources: Mapping[str, ModelSource]
    endpointing: EndpointingOptions
    script: Script | None = None
    """Instead of sources: what the models say, for developing and testing without any."""

    is_checksum: bool = False
    """Instead of sources: the text of a line is the checksum of its audio, for load and failure tests."""

    def missing(self, models_dir: Path) -> list[ModelSource]:
        """Models whose directory is not there yet."""
        directories = {role: source.directory(self.file, models_dir) for role, source in self.sources.items()}
        return [
            self.sources[role]
            for role, directory in directories.items()
            if directory is not None and not _looks_complete(directory)
        ]


def model_set_names() -> list[str]:
    """The sets that come with the product."""
    return sorted(path.stem for path in _BUILT_IN.glob("*.toml"))


def read_model_set(name_or_path: str) -> ModelSet:
    """A set by its name, or the set in a file.

    Raises:
        ModelError: If there is no such set, or the file is not one; the message names the place.
    """
    file = Path(name_or_path)
    if file.suffix != ".toml":
        file = _BUILT_IN / f"{name_or_path}.toml"
        if name_or_path not in model_set_names():
            raise ModelError(
                f"there is no model set {name_or_path!r}; known are {', '.join(model_set_names())}, "
                "and the path of a .toml file"
            )
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ModelError(f"the model set {file} cannot be read: {exc}") from exc
    return _model_set(file, content)


def load_models(
    model_set: ModelSet, models_dir: Path, *, compute_type: str = "auto", device: str = "auto"
) -> Models:
    """Load every model of the set and run each once, so that the first session waits for nothing.

    Args:
        models_dir: Where models from the hub are kept.
        compute_type: "auto", or one of `recognition.funasr.precision.COMPUTE_TYPES`.
        device: "auto", "cpu" or "cuda".

    Raises:
        ModelError: If a model is missing, incomplete or of an unknown kind; the message says what to do.
    """
    if model_set.script:
        return scripted_models(model_set.script)
    if model_set.is_checksum:
        return checksum_models()
    missing = model_set.missing(models_dir)
    if any(source.hub for source in missing):
        names = ", ".join(source.title for source in missing)
        raise ModelError(
            f"the model set {model_set.name} is not complete: {names} missing in {models_dir}; "
            f"fetch with: python manage.py models pull {model_set.name}"
        )
    from recognition.funasr.models import load

    return load(model_set, models_dir, compute_type=compute_type, device=device)


def _model_set(file: Path, content: dict[str, Any]) -> ModelSet:
    roles = next(([kind] for kind in ("script", "checksum") if kind in content), ROLES)
    optional = OPTIONAL_ROLES if roles is ROLES else ()
    expected = {"title", "description", "endpointing", *roles, *optional}
    _check_keys(file, "", content, expected, required={"title", *roles})
    return ModelSet(
        name=file.stem,
        file=file,
        title=content["title"],
        description=content.get("description", ""),
        sources={
            role: _source(file, role, content[role]) for role in (*ROLES, *OPTIONAL_ROLES) if role in content
        },
        endpointing=_endpointing(file, content.get("endpointing", {})),
        script=_script(file, content["script"]) if "script" in content else None,
        is_checksum=bool(content.get("checksum")),
    )


def _script(file: Path, lines: Any) -> Script:
    if not isinstance(lines, list) or not lines:
        raise ModelError(f"{file}: script is not a list of lines ([[script]] with text, voice, seconds)")
    known = {entry.name for entry in fields(ScriptedLine)}
    for line in lines:
        _check_keys(file, "[[script]] ", line, known, required={"text"})
    return Script([ScriptedLine(**line) for line in lines])


def _source(file: Path, role: str, content: dict[str, Any]) -> ModelSource:
    known = {entry.name for entry in fields(ModelSource)} - {"role"}
    _check_keys(file, f"[{role}] ", content, known, required={"title", "licence"})
    if sum(key in content for key in ("package", "path", "hub")) != 1:
        raise ModelError(f"{file}: [{role}] takes exactly one of package, path and hub")
    return ModelSource(role=role, **content)


def _endpointing(file: Path, content: dict[str, Any]) -> EndpointingOptions:
    known = {entry.name for entry in fields(EndpointingOptions)}
    _check_keys(file, "[endpointing] ", content, known, required=set())
    return EndpointingOptions(**content)


def _looks_complete(directory: Path) -> bool:
    """Whether there are a configuration and weights, or a way to weights that lie elsewhere; or n-grams."""
    if any(directory.glob("*.arpa*")):
        return True
    weights = any(next(directory.glob(f"*{suffix}"), None) for suffix in (".pt", ".bin", ".ckpt"))
    return (directory / "config.yaml").is_file() and (weights or (directory / "configuration.json").is_file())


def _check_keys(file: Path, where: str, content: Any, expected: set[str], *, required: set[str]) -> None:
    if not isinstance(content, dict):
        raise ModelError(f"{file}: {where}is not a table")
    if unknown := sorted(content.keys() - expected):
        raise ModelError(f"{file}: {where}has unknown keys: {', '.join(unknown)}")
    if absent := sorted(required - content.keys()):
        raise ModelError(f"{file}: {where}lacks {', '.join(absent)}")
