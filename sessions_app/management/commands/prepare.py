"""`manage.py prepare`: the needs of an installation before its first start. Doing it again does no harm."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from recognition.exceptions import ModelError
from recognition.model_sets.reading import read_model_set


class Command(BaseCommand):
    help = "Make the database, an admin account and, if they are missing, the models."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        self._make_admin()
        self._pull_models()

    def _make_admin(self) -> None:
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        if users.filter(username="admin").exists():
            self.stdout.write(
                "The account admin may not administer: make one that may with manage.py createsuperuser."
            )
            return
        password = secrets.token_urlsafe(9)
        users.create_superuser("admin", password=password)
        self.stdout.write("An admin account was made. This is the only time that its password is shown:")
        self.stdout.write(self.style.SUCCESS(f"    admin / {password}"))

    def _pull_models(self) -> None:
        try:
            model_set = read_model_set(settings.MODEL_SET)
        except ModelError as error:
            raise CommandError(str(error)) from error
        if any(source.hub for source in model_set.missing(Path(settings.MODELS_DIR))):
            call_command("models", "pull", settings.MODEL_SET)
