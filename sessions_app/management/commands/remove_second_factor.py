"""`manage.py remove_second_factor NAME`: for an administrator who has lost theirs."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from sessions_app.access import second_factor


class Command(BaseCommand):
    help = (
        "Remove all second factors of an account, so that its password is enough until another is set up. "
        "Accounts that others manage: on the account's page."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="name of the account")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no account {name!r}.")
        had_any = second_factor.remove_all(user, by=None)
        self.stdout.write(f"{name} has no second factor any more." if had_any else f"{name} has none.")
