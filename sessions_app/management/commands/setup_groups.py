"""`manage.py setup_groups`: the groups viewer, transcriber, editor and enroller."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sessions_app.access.roles import set_up_groups


class Command(BaseCommand):
    help = "Make the groups viewer, transcriber, editor and enroller, or give them their permissions again."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, is_new in set_up_groups().items():
            self.stdout.write(f"{name}: {'made' if is_new else 'permissions are in place'}")
