"""`manage.py audit`: the audit log as JSON lines, for other systems."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from audit.export import json_lines
from audit.models import Entry


class Command(BaseCommand):
    help = (
        "Print the audit log as JSON lines, the oldest entry first. To keep it elsewhere as well, print what "
        "is new from time to time: `--after` takes the id of the last entry that you have."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--after", type=int, default=0, metavar="ID", help="entries after this one")
        parser.add_argument("--since", default="", metavar="TIME", help="a day, or a day and a time")
        parser.add_argument("--until", default="", metavar="TIME", help="entries before this time")

    def handle(self, *args: Any, **options: Any) -> None:
        entries = Entry.objects.filter(pk__gt=options["after"])
        if since := options["since"]:
            entries = entries.filter(at__gte=_moment("--since", since))
        if until := options["until"]:
            entries = entries.filter(at__lt=_moment("--until", until))
        for line in json_lines(entries):
            self.stdout.write(line, ending="")


def _moment(option: str, text: str) -> datetime:
    """Return a time; that of this installation where no zone is named."""
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"{option} {text!r} is no time: use 2026-11-30 or 2026-11-30T18:00")
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
