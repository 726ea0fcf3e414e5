"""`manage.py prune`: delete what is older than the rules of this installation allow."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sessions_app.transcripts.retention import prune

MAX_DAYS = 36_525.0
"""A century: dates do not reach back for ever."""


class Command(BaseCommand):
    help = (
        "Delete sessions and recordings that are older than ASR_KEEP_SESSIONS_DAYS and "
        "ASR_KEEP_RECORDINGS_DAYS, links that have expired, and files that crashes left behind. "
        "Entries of the audit log that are older than ASR_KEEP_AUDIT_DAYS go as well. "
        "Sessions that are marked to be kept stay. Run it daily."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sessions-days", type=float, default=settings.KEEP_SESSIONS_DAYS)
        parser.add_argument("--recordings-days", type=float, default=settings.KEEP_RECORDINGS_DAYS)
        parser.add_argument("--audit-days", type=float, default=settings.KEEP_AUDIT_DAYS)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        days = {name: options[name] for name in ("sessions_days", "recordings_days", "audit_days")}
        for name, value in days.items():
            if not 0 <= value <= MAX_DAYS:
                raise CommandError(f"--{name.replace('_', '-')} {value:g}: use days from 0 to {MAX_DAYS:g}")
        pruned = prune(**days, is_rehearsal=options["dry_run"])
        verb = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(
            f"{verb}: {pruned.sessions} sessions, {pruned.recordings} recordings, "
            f"{pruned.tokens} expired tokens, {pruned.files} stray files, "
            f"{pruned.entries} entries of the audit log"
        )
