"""Fetches the models of a set from ModelScope's hub: resumed where it stopped, checked by hash.

The hub's own client (`modelscope_hub`) does the transfer; nothing here is imported by a running service.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recognition.exceptions import ModelError

from .reading import ModelSet, ModelSource

MANIFEST = "manifest.json"
"""Written beside the files of a model when all are there: their sizes and hashes."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the files of one model."""

    source: ModelSource
    done: int
    """Bytes that are here."""
    total: int


def pull(
    model_set: ModelSet,
    models_dir: Path,
    *,
    report: Callable[[Progress], None] = lambda progress: None,
    endpoint: str | None = None,
) -> None:
    """Fetch what is missing of a set; files that are complete are not fetched again.

    Args:
        report: Called whenever bytes have arrived.
        endpoint: Address of the hub; MODELSCOPE_ENDPOINT or ModelScope's by default.

    Raises:
        ModelError: If the hub cannot be reached, has no such model, or sends something else than it
            announces. What is complete stays; the next call goes on from there.
    """
    for source in model_set.sources.values():
        if source.hub:
            _pull(source, _directory(source, models_dir), report, endpoint)


def damaged(model_set: ModelSet, models_dir: Path) -> list[Path]:
    """Files that are missing or no longer what was fetched; reads every byte."""
    found = []
    for source in model_set.sources.values():
        if not source.hub:
            continue
        directory = _directory(source, models_dir)
        manifest = directory / MANIFEST
        if not manifest.is_file():
            found.append(manifest)
            continue
        for name, expected in json.loads(manifest.read_text(encoding="utf-8"))["files"].items():
            path = directory / name
            if not path.is_file() or _sha256(path) != expected["sha256"]:
                found.append(path)
    return found


def _pull(
    source: ModelSource, directory: Path, report: Callable[[Progress], None], endpoint: str | None
) -> None:
    from modelscope_hub import HubApi, HubConfig
    from modelscope_hub.errors import HubError

    config = HubConfig(endpoint=endpoint)
    api = HubApi(config)
    try:
        files = _wanted(source, api.list_repo_files(source.hub, "model", revision=source.revision))
        if not files:
            raise ModelError(f"{source.hub} at {source.revision} holds no model files")
        total = sum(file.size for file in files)
        arrived = 0
        for file in files:
            _fetch(api, source, file, directory, report, arrived, total)
            arrived += file.size
    except HubError as exc:
        raise ModelError(_advice(source, config.endpoint, exc)) from exc
    except OSError as exc:
        raise ModelError(f"{source.hub} cannot be kept in {directory}: {exc.strerror or exc}") from exc
    _write_manifest(source, directory, [file.path for file in files])
    report(Progress(source, total, total))


def _fetch(
    api: Any,
    source: ModelSource,
    file: Any,
    directory: Path,
    report: Callable[[Progress], None],
    before: int,
    total: int,
) -> None:
    """One file; `before` are the bytes of those that came earlier."""
    from modelscope_hub import ProgressCallback

    class Callback(ProgressCallback):
        done = 0

        def update(self, size: int) -> None:
            self.done = min(file.size, self.done + size)  # what a retry fetches again counts once
            report(Progress(source, before + self.done, total))

    report(Progress(source, before, total))
    api.downloader.download_file(
        source.hub,
        "model",
        file.path,
        revision=source.revision,
        local_dir=directory,
        expected_sha256=file.sha256,
        file_size=file.size,
        progress_callbacks=[Callback],
    )


def _wanted(source: ModelSource, listed: Iterable[Any]) -> list[Any]:
    patterns = source.options.wanted_files
    return [
        file
        for file in listed
        if not file.is_dir and any(fnmatch.fnmatchcase(file.path, pattern) for pattern in patterns)
        if "/" not in file.path
    ]


def _write_manifest(source: ModelSource, directory: Path, names: list[str]) -> None:
    entries = {}
    for name in names:
        path = directory / name
        sha256 = _sha256(path)
        pinned = source.sha256.get(name)
        if pinned and sha256 != pinned:
            path.unlink()
            raise ModelError(
                f"{source.hub}: {name} is not the file that the model set names "
                f"(sha256 {sha256}, expected {pinned}); it was removed"
            )
        entries[name] = {"size": path.stat().st_size, "sha256": sha256}
    content = {"hub": source.hub, "revision": source.revision, "licence": source.licence, "files": entries}
    (directory / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _advice(source: ModelSource, endpoint: str | None, exc: Exception) -> str:
    from modelscope_hub.errors import FileIntegrityError, NetworkError, NotExistError

    again = "run the same command again to go on from there"
    if isinstance(exc, NotExistError):
        return f"the hub {endpoint} has no {source.hub} at revision {source.revision}"
    if isinstance(exc, FileIntegrityError):
        return f"{source.hub} did not arrive as the hub announces it: {exc}; {again}"
    if isinstance(exc, NetworkError):
        return (
            f"the hub {endpoint} cannot be reached: {exc}. Check the network or the proxy, or set "
            f"MODELSCOPE_ENDPOINT to a mirror; {again}"
        )
    return f"{source.hub} could not be fetched from {endpoint}: {exc}; {again}"


def _directory(source: ModelSource, models_dir: Path) -> Path:
    directory = source.directory(models_dir)
    assert directory is not None
    return directory


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
