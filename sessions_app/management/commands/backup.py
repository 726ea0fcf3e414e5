"""`manage.py backup FILE`: everything that cannot be had again, in one file, while the service runs."""

from __future__ import annotations

import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from sessions_app.backups import databases
from sessions_app.backups.archives import KEYS, ArchiveWriter, BackupError, Manifest


class Command(BaseCommand):
    help = (
        "Write the database and all recordings into one file, without stopping the service. Keys stay out: "
        "keep them elsewhere, for with them and a backup every voice can be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a new file: a tar")
        parser.add_argument(
            "--with-keys", action="store_true", help="put the keys of this installation in as well"
        )

    def handle(self, *args: Any, file: Path, with_keys: bool, **options: Any) -> None:
        if file.exists():
            raise CommandError(f"{file} is there already: name a new file")
        unfinished = file.with_name(f".{file.name}.unfinished-{os.getpid()}")
        try:
            manifest = self._write(unfinished, with_keys=with_keys)
            unfinished.rename(file)
        except (BackupError, OSError) as error:
            raise CommandError(f"no backup was made: {error}") from error
        finally:
            unfinished.unlink(missing_ok=True)
        size = sum(entry.size for entry in manifest.files.values()) / 1e6
        self.stdout.write(f"{file}: {len(manifest.files)} files, {size:.1f} MB")
        if not with_keys:
            self.stdout.write(
                "Keys are not in it. Without VOICEPRINT_KEYS (or the file voiceprint_keys) no voice and no "
                "encrypted recording of it can be read: keep them, elsewhere."
            )

    def _write(self, file: Path, *, with_keys: bool) -> Manifest:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as target, tempfile.TemporaryDirectory(dir=file.parent) as folder:
            now = timezone.now().isoformat()
            manifest = Manifest(settings.VERSION, now, connection.vendor, has_keys=with_keys)
            writer = ArchiveWriter(target, manifest)
            dump = Path(folder) / databases.FILES[connection.vendor]
            manifest.rows = databases.dump(dump)
            writer.add(dump.name, dump)
            writer.add_media(Path(settings.MEDIA_ROOT))
            for name in KEYS if with_keys else ():
                writer.add(name, Path(settings.DATA_DIR) / name)
            writer.close()
            target.flush()
            os.fsync(target.fileno())
        return manifest
