"""Fetches all files of a model on ModelScope's hub, by the hub's own client (`modelscope_hub`)."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from recognition.exceptions import ModelError, PlaceError

from .attempts import Patience
from .fetching import sha256
from .reading import ModelSource
from .web import check_alive

MANIFEST = "manifest.json"
"""Written beside the files of a model when all are there: their sizes and hashes."""


def fetch_model(
    source: ModelSource, directory: Path, report: Callable[[int, int], None], endpoint: str | None = None
) -> None:
    """Fetch what is missing of a model; files that are complete are not fetched again.

    Args:
        report: Called with the bytes that are there, and with those of all its files.
        endpoint: Address of the hub; MODELSCOPE_ENDPOINT or ModelScope's by default.

    Raises:
        ModelError: If the hub cannot be reached, has no such model, or sends something else than it
            announces. What is complete stays; the next call goes on from there.
    """
    from modelscope_hub import HubApi, HubConfig
    from modelscope_hub.errors import HubError

    config = HubConfig(endpoint=endpoint)
    api = HubApi(config)
    try:
        check_alive(str(config.endpoint), Patience())
        files = _wanted(source, api.list_repo_files(source.hub, "model", revision=source.revision))
        if not files:
            raise ModelError(f"{source.hub} at {source.revision} holds no model files")
        total = sum(file.size for file in files)
        arrived = 0
        for file in files:
            _fetch(api, source, file, directory, report, arrived, total)
            arrived += file.size
    except (HubError, PlaceError) as exc:
        raise ModelError(_advice(source, config.endpoint, exc)) from exc
    _write_manifest(source, directory, [file.path for file in files])
    report(total, total)


def known_hashes(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that was fetched; empty for what was put there by hand."""
    manifest = directory / MANIFEST
    if not manifest.is_file():
        return {}
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return {name: entry["sha256"] for name, entry in files.items()}


def damaged_files(directory: Path) -> list[Path]:
    """Return files that are missing or no longer what was fetched; reads every byte."""
    manifest = directory / MANIFEST
    if not manifest.is_file():
        return [manifest]
    return [
        directory / name
        for name, expected in known_hashes(directory).items()
        if not (directory / name).is_file() or sha256(directory / name) != expected
    ]


def _fetch(
    api: Any,
    source: ModelSource,
    file: Any,
    directory: Path,
    report: Callable[[int, int], None],
    before: int,
    total: int,
) -> None:
    """One file; `before` are the bytes of those that came earlier."""
    from modelscope_hub import ProgressCallback

    class Callback(ProgressCallback):
        done = 0

        def update(self, size: int) -> None:
            self.done = min(file.size, self.done + size)  # what a retry fetches again counts once
            report(before + self.done, total)

    report(before, total)
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
    return [file for file in listed if not file.is_dir and _is_wanted(source, file.path)]


def _is_wanted(source: ModelSource, path: str) -> bool:
    """Tell whether a pattern of as many folders fits a path."""
    return any(
        fnmatch.fnmatchcase(path, pattern)
        for pattern in source.options.wanted_files
        if pattern.count("/") == path.count("/")
    )


def _write_manifest(source: ModelSource, directory: Path, names: list[str]) -> None:
    entries = {}
    for name in names:
        path = directory / name
        found = sha256(path)
        pinned = source.sha256.get(name)
        if pinned and found != pinned:
            path.unlink()
            raise ModelError(
                f"{source.hub}: {name} is not the file that the model set names "
                f"(sha256 {found}, expected {pinned}); it was removed"
            )
        entries[name] = {"size": path.stat().st_size, "sha256": found}
    if source.sha256 and (unknown := sorted(entries.keys() - source.sha256.keys())):
        raise ModelError(
            f"{source.hub}: the model set names hashes, but none of {', '.join(unknown)}: nobody knows "
            f"whether that is the right one"
        )
    content = {"hub": source.hub, "revision": source.revision, "licence": source.licence, "files": entries}
    (directory / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _advice(source: ModelSource, endpoint: str | None, exc: Exception) -> str:
    from modelscope_hub.errors import FileIntegrityError, NetworkError, NotExistError

    again = "run the same command again to go on from there"
    if isinstance(exc, NotExistError):
        return f"the hub {endpoint} has no {source.hub} at revision {source.revision}"
    if isinstance(exc, FileIntegrityError):
        return f"{source.hub} did not arrive as the hub announces it: {exc}; {again}"
    if isinstance(exc, NetworkError | PlaceError):
        return (
            f"the hub {endpoint} cannot be reached: {exc}. Check the network or the proxy, or set "
            f"MODELSCOPE_ENDPOINT to a mirror; {again}"
        )
    return f"{source.hub} could not be fetched from {endpoint}: {exc}; {again}"
