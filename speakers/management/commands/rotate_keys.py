"""`manage.py rotate_keys`: a new key for voiceprints, and all of them encrypted with it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from speakers import key_rotation
from speakers.exceptions import BadKeys, Undecipherable


class Command(BaseCommand):
    help = (
        "Make a new key and encrypt all voiceprints with it, while the service runs. Earlier keys stay in "
        "the file, for backups, unless you say --drop-old."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-new-key", action="store_true", help="the first key is new already")
        parser.add_argument(
            "--drop-old", action="store_true", help="remove all keys but the first when nothing needs them"
        )

    def handle(self, *args: Any, no_new_key: bool, drop_old: bool, **options: Any) -> None:
        try:
            if not no_new_key:
                key_rotation.add_key()
            done = key_rotation.rotate()
            if drop_old:
                key_rotation.rotate()  # what a process that began before the new key has written meanwhile
                key_rotation.drop_old_keys()
        except (BadKeys, Undecipherable) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.columns} embeddings, {done.files} recordings of voices and {done.others} secrets of "
            "meetings and logins have the first key now."
        )
        if drop_old:
            self.stdout.write("Earlier backups need the earlier keys: they are gone from here.")
