"""Archives of an installation: a tar with its database, its recordings and, if asked for, its keys.

What is in it, with sizes and hashes, stands in its last member. The database is copied first and the media
after it, so every recording is at least as long as the lines that the database has of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from sessions_app.exceptions import SessionsError
from sessions_app.recordings import object_storage

MANIFEST = "manifest.json"
MEDIA = "media"
FORMAT = 1
KEYS = ("secret_key", "voiceprint_keys")
_CHUNK = 2**20


class BackupError(SessionsError):
    """Something that cannot be put into an archive, or taken out of it; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """One file."""

    size: int
    sha256: str


@dataclass
class Manifest:
    """Contents of an archive."""

    version: str
    created_at: str
    database: str
    """Vendor of the database."""

    has_keys: bool = False
    rows: dict[str, int] = field(default_factory=dict)
    """Rows of each table, where the vendor's dump can be counted."""

    files: dict[str, Entry] = field(default_factory=dict)


class ArchiveWriter:
    """Writes an archive, file by file; files may grow and go while it does."""

    def __init__(self, target: IO[bytes], manifest: Manifest) -> None:
        self._tar = tarfile.TarFile(fileobj=target, mode="w", format=tarfile.PAX_FORMAT)
        self.manifest = manifest

    def add(self, name: str, path: Path) -> bool:
        """Add a file as it is now; return False if there is none any more."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            info = self._tar.gettarinfo(arcname=name, fileobj=file)
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            counted = _Counted(file)
            self._tar.addfile(info, counted)  # so many bytes as it had when it was opened
        self.manifest.files[name] = Entry(info.size, counted.sha256.hexdigest())
        return True

    def add_media(self, folder: Path) -> None:
        """Add all files, also those that others turn into while it is read."""
        seen: set[Path] = set()
        while fresh := [path for path in _files(folder) if path not in seen]:
            for path in fresh:
                seen.add(path)
                name = f"{MEDIA}/{path.relative_to(folder).as_posix()}"
                if path.name.endswith(object_storage.STUB):
                    self._add_stored(name.removesuffix(object_storage.STUB), path)
                else:
                    self.add(name, path)

    def _add_stored(self, name: str, stub: Path) -> None:
        """Add what a stub stands for, as if it were here: so it can be restored without the storage."""
        stored = object_storage.find(stub.with_name(stub.name.removesuffix(object_storage.STUB)))
        if stored is None or name in self.manifest.files:
            return
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = stored.bytes, 0o640, time.time()
        with io.BufferedReader(object_storage.StoredFile(stored), object_storage.BLOCK) as file:
            counted = _Counted(file)
            self._tar.addfile(info, counted)
        self.manifest.files[name] = Entry(info.size, counted.sha256.hexdigest())

    def close(self) -> None:
        """Write what is in it, and the end."""
        content = json.dumps({"format": FORMAT} | asdict(self.manifest), indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(content), 0o640
        self._tar.addfile(info, io.BytesIO(content))
        self._tar.close()


def extract(source: Path, folder: Path) -> Manifest:
    """Take everything out, into an empty folder, and compare it with the manifest.

    Raises:
        BackupError: If it is no archive, incomplete, or damaged.
    """
    try:
        with tarfile.open(source, "r:") as tar:
            tar.extractall(folder, filter="data")  # nothing outside of the folder, and nothing but files
    except (tarfile.TarError, OSError) as error:
        raise BackupError(f"{source} cannot be read as a backup: {error}") from error
    manifest = _manifest(source, folder / MANIFEST)
    for name, entry in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != entry.size or _sha256(path) != entry.sha256:
            raise BackupError(f"{source} is damaged: {name} is not what it was when it was put in")
    return manifest


def remove_overtaken(media: Path) -> None:
    """Remove journals whose sessions have their finished recording beside them.

    The archive has both if a session ended while it was written, and the journal may be the shorter one.
    """
    for journal in media.glob("recordings/*.pcm*"):
        if any(media.glob(f"recordings/{journal.stem}.flac*")):
            journal.unlink()


def _manifest(source: Path, path: Path) -> Manifest:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        if content.pop("format") != FORMAT:
            raise BackupError(f"{source} is a backup of a newer version: restore it with that")
        files = {name: Entry(**entry) for name, entry in content.pop("files").items()}
        return Manifest(**content, files=files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{source} is incomplete, or no backup of this program: {error}") from error


class _Counted(io.RawIOBase):
    """A file of which the hash is taken while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that are whole: what is being written has another ending until then."""
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and ".unfinished-" not in path.name:
                yield path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
