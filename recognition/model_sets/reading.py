"""Model sets as their files have them: a model for each role, its source, and the options of its use.

A set is a TOML file beside this module, or one of the operator's own. Reading it loads no model and imports
neither torch nor FunASR; `loading` does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

from recognition.core.endpointing import EndpointingOptions
from recognition.exceptions import ModelSetError
from recognition.fakes.checksum import checksum_models
from recognition.fakes.scripted import read_script, scripted_models
from recognition.interfaces import Models
from recognition.model_options import ModelOptions
from recognition.tables import Between, Place, check_keys, read_table

from .files import ModelFile, directory_name, read_files
from .inheritance import ORIGINS, merged
from .kinds import REQUIRED_ROLES, ROLES, find_kind, kind_name

_BUILT_IN = Path(__file__).parent

BY_CONTENT = "by-content"
"""Folder of models whose files are named by their content; those with the same files share a directory."""

Fake = Callable[[], Models]
"""Makes the models of a set that needs none, for developing and testing."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One model of a set: its kind, its files, its options."""

    role: str
    kind: str
    options: ModelOptions
    title: str
    licence: str
    package: str = ""
    """Name of the Python package that brings the weights along."""

    path: str = ""
    """Directory, absolute; relative to the file that names it until it is read."""

    hub: str = ""
    """Id on ModelScope's hub."""

    files: Mapping[str, ModelFile] = field(default_factory=dict)
    """Named by their content, and looked for at places."""

    revision: str = "master"
    size: Annotated[int, Between(0)] = 0
    """Bytes of the files together, about."""

    sha256: Mapping[str, str] = field(default_factory=dict)
    """Hash of each file for which it is known."""

    def directory(self, models_dir: Path) -> Path | None:
        """Return where the model's files lie; None for a model in a package, or without files."""
        if self.path:
            return Path(self.path)
        if self.files:
            return models_dir / BY_CONTENT / directory_name(self.files)
        return models_dir / self.hub / self.revision if self.hub else None

    @property
    def is_fetched(self) -> bool:
        """Return whether its files are such as `models pull` fetches."""
        return bool(self.hub or self.files)

    def is_missing(self, models_dir: Path) -> bool:
        """Return whether its files are not there yet, or not all."""
        directory = self.directory(models_dir)
        if directory is None:
            return False
        # What has its name also has its content: it was hashed before it got the name.
        fetched = [directory / name for name, file in self.files.items() if not file.is_optional]
        return not (all(path.is_file() for path in fetched) and self.options.is_complete(directory))


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A model for each role that the set has."""

    name: str
    file: Path
    title: str
    description: str
    sources: Mapping[str, ModelSource]
    endpointing: EndpointingOptions
    fake: Fake | None = None
    """Instead of sources."""

    partials: bool = True
    """Otherwise there are only finals, and no first pass among the sources."""

    @property
    def reference(self) -> str:
        """Return the set's name in a command: its own, or the path of its file."""
        return self.name if self.file.parent == _BUILT_IN else str(self.file)

    def missing(self, models_dir: Path) -> list[ModelSource]:
        """Return the models whose files are not there yet."""
        return [source for source in self.sources.values() if source.is_missing(models_dir)]

    @property
    def opens_after_fork(self) -> bool:
        """Return whether each process must load it for itself: some models do not survive a fork."""
        return any(source.options.opens_after_fork for source in self.sources.values())

    def lacks_what_can_be_fetched(self, models_dir: Path) -> bool:
        """Return whether `models pull` has something to do for it."""
        return any(source.is_fetched for source in self.missing(models_dir))


def model_set_names() -> list[str]:
    """Return the sets that come with the product."""
    return sorted(path.stem for path in _BUILT_IN.glob("*.toml"))


def read_model_set(name_or_path: str) -> ModelSet:
    """Read a set by its name, or the set in a file.

    Raises:
        ModelSetError: If there is no such set, or its file is wrong; the message names the place.
    """
    file = _file(name_or_path, Path())
    return _model_set(file, _content(file, ()))


def _file(name_or_path: str, folder: Path) -> Path:
    """Return the file of a set; a path is relative to the folder."""
    if name_or_path.endswith(".toml"):
        return folder / name_or_path
    if name_or_path in model_set_names():
        return _BUILT_IN / f"{name_or_path}.toml"
    raise ModelSetError(
        f"there is no model set {name_or_path!r}; known are {', '.join(model_set_names())}, "
        "and the path of a .toml file"
    )


def _content(file: Path, derived: tuple[Path, ...]) -> dict[str, Any]:
    """Return the tables of a file, over those of its base.

    Args:
        derived: The files that are based on this one, each on the next.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelSetError(f"the model set {file} cannot be read: {error}") from error
    for role in ROLES:
        if isinstance(table := content.get(role), dict) and isinstance(table.get("path"), str):
            table["path"] = str((file.parent / table["path"]).absolute())
    base = content.pop("base", None)
    if base is not None:
        return merged(_base(base, file, (*derived, file)), content)
    return merged({}, content)


def _base(base: object, file: Path, derived: tuple[Path, ...]) -> dict[str, Any]:
    """Return the tables of a set that others are based on; what is wrong in them is told of its own file."""
    if not isinstance(base, str):
        raise Place(str(file)).refusal("base", base, "the name of a model set or the path of a .toml file")
    try:
        base_file = _file(base, file.parent)
    except ModelSetError as error:
        raise Place(str(file)).error(f"base: {error}") from error
    if base_file.resolve() in [each.resolve() for each in derived]:
        chain = " -> ".join(map(str, (*derived, base_file)))
        raise Place(str(file)).error(f"base goes round in a circle: {chain}")
    content = _content(base_file, derived)
    _model_set(base_file, content)
    return content


@dataclass(frozen=True, slots=True)
class _Heading:
    title: str
    description: str = ""
    partials: bool = True


def _model_set(file: Path, content: Mapping[str, Any]) -> ModelSet:
    place = Place(str(file))
    fakes = [key for key in _FAKES if key in content]
    tables = fakes[:1] or ROLES
    headings = [field.name for field in fields(_Heading)]
    check_keys(content, [*headings, "base", "endpointing", *tables], place)
    for role in () if fakes else REQUIRED_ROLES:
        if role not in content:
            raise place.error(f"[{role}] is missing")
    heading = {key: content[key] for key in headings if key in content}
    known = read_table(_Heading, heading, place)
    sources = {role: _source(role, content[role], place.inner(role)) for role in ROLES if role in content}
    _check_language_model(sources, place)
    if not known.partials:
        sources.pop("streaming", None)
    return ModelSet(
        file.stem,
        file,
        known.title,
        known.description,
        sources,
        _endpointing(content.get("endpointing", {}), place.inner("endpointing")),
        fake=_FAKES[fakes[0]](content[fakes[0]], place) if fakes else None,
        partials=known.partials,
    )


def _endpointing(table: object, place: Place) -> EndpointingOptions:
    options = read_table(EndpointingOptions, table, place)
    if problem := options.contradiction():
        raise place.error(problem)
    return options


def _source(role: str, table: object, place: Place) -> ModelSource:
    if not isinstance(table, Mapping):
        raise place.error("this is not a table")
    kind = kind_name(role, table)
    options = read_table(find_kind(role, kind, place), table.get("options", {}), place.inner("options"))
    rest = {key: value for key, value in table.items() if key not in ("kind", "options", "files")}
    source = read_table(ModelSource, rest, place, role=role, kind=kind, options=options)
    if "files" in table:
        files = read_files(table["files"], place.inner("files"))
        source = replace(source, files=files, size=sum(file.size for file in files.values()))
    _check_origin(source, place)
    return source


def _check_origin(source: ModelSource, place: Place) -> None:
    """Refuse a model without a place for its files, or with several."""
    given = [key for key in ORIGINS if getattr(source, key)]
    package = source.options.package
    if not source.options.has_files:
        if given:
            raise place.error(f"kind {source.kind} has no files, and takes no {given[0]}")
    elif package and (given != ["package"] or source.package != package):
        raise place.error(f'kind {source.kind} comes with a package, and takes package = "{package}" alone')
    elif not package and given not in (["path"], ["hub"], ["files"]):
        raise place.error(f"kind {source.kind} takes exactly one of path, hub and files")


def _check_language_model(sources: Mapping[str, ModelSource], place: Place) -> None:
    users = [sources[role].options for role in ("streaming", "offline") if role in sources]
    if "language_model" in sources and not any(options.takes_language_model for options in users):
        raise place.inner("language_model").error("no recogniser of the set makes use of it; leave it out")


def _script(lines: object, place: Place) -> Fake:
    script = read_script(lines, place)
    return lambda: scripted_models(script)


def _checksum(value: object, place: Place) -> Fake:
    if value is not True:
        raise place.refusal("checksum", value, "true")
    return checksum_models


_FAKES: Mapping[str, Callable[[object, Place], Fake]] = {"script": _script, "checksum": _checksum}
"""Keys that stand for all models of a set."""
