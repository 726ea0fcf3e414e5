"""`manage.py encrypt_recordings`: recordings that were made before `ASR_ENCRYPT_RECORDINGS`, encrypted."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sessions_app.recordings import files


class Command(BaseCommand):
    help = (
        "Encrypt the recordings of meetings that ended before ASR_ENCRYPT_RECORDINGS=1 was set, one after "
        "another, while the service runs. Those that go on are encrypted when they end."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ENCRYPT_RECORDINGS:
            raise CommandError("ASR_ENCRYPT_RECORDINGS is not set: set it to 1 first, for all processes.")
        done = sum(map(files.encrypt, files.plain_ones()))
        self.stdout.write(f"{done} recordings were encrypted.")
