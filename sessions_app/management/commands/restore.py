"""`manage.py restore FILE`: an installation made from a backup, in an empty place."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from sessions_app import installation
from sessions_app.backups import databases
from sessions_app.backups.archives import KEYS, MEDIA, BackupError, Manifest, extract, remove_overtaken


class Command(BaseCommand):
    help = (
        "Make the database and the recordings from a backup. The data folder and the database must be empty."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what `backup` has written")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            with installation.folder_locked(alone=True):
                manifest = self._restore(file)
        except (BackupError, installation.BadInstallation, OSError) as error:
            raise CommandError(f"nothing was restored: {error}") from error
        self.stdout.write(f"{len(manifest.files)} files of {manifest.created_at} are back.")
        if behind := installation.missing_migrations():
            self.stdout.write(f"The backup is of an earlier version ({manifest.version}): run")
            self.stdout.write(f"    python manage.py migrate    # {len(behind)} changes")
        if not manifest.has_keys:
            self.stdout.write("Put the keys back that it was made with, before the first start: it has none.")

    def _restore(self, file: Path) -> Manifest:
        folder, media = Path(settings.DATA_DIR), Path(settings.MEDIA_ROOT)
        _require_emptiness(media)
        with tempfile.TemporaryDirectory(dir=folder, prefix="restore-") as made:
            manifest = extract(file, Path(made))
            if manifest.database != connection.vendor:
                raise BackupError(
                    f"the backup is of a database of {manifest.database}, and DATABASE_URL names one of "
                    f"{connection.vendor}"
                )
            (Path(made) / MEDIA).mkdir(exist_ok=True)
            remove_overtaken(Path(made) / MEDIA)
            databases.load(Path(made) / databases.FILES[connection.vendor], manifest.rows)
            if media.exists():
                media.rmdir()
            (Path(made) / MEDIA).rename(media)
            for name in KEYS if manifest.has_keys else ():
                _put_key(Path(made) / name, folder / name)
        return manifest


def _require_emptiness(media: Path) -> None:
    if media.is_dir() and any(media.iterdir()):
        raise BackupError(f"{media} is not empty: restore into a folder of its own, by ASR_DATA_DIR")
    try:
        is_empty = not connection.introspection.table_names()
    except DatabaseError as error:
        raise BackupError(f"the database does not answer: {error}") from error
    if not is_empty:
        raise BackupError(f"the database {connection.settings_dict['NAME']} is not empty: name a new one")


def _put_key(made: Path, target: Path) -> None:
    """Put a key file in place; one that the first command here has made for nobody is replaced."""
    if made.exists():
        made.chmod(0o600)
        made.replace(target)
