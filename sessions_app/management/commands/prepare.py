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
from recognition.model_sets import selection
from recognition.model_sets.reading import ModelSet


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
            wanted = selection.to_fetch(settings.MODEL_SETS, Path(settings.MODELS_DIR))
        except ModelError as error:
            raise CommandError(str(error)) from error
        for model_set in wanted:
            self._pull(model_set)

    def _pull(self, model_set: ModelSet) -> None:
        """Fetch a set; one that nobody named may also come later."""
        try:
            call_command("models", "pull", model_set.reference, verbosity=0)
        except CommandError as error:
            if selection.AUTO not in settings.MODEL_SETS or model_set.reference in settings.MODEL_SETS:
                raise
            self.stdout.write(
                f"{model_set.title} could not be fetched, and people will not be recognised: {error}. "
                f"To try again: python manage.py models pull {model_set.reference} [--from FOLDER]"
            )
