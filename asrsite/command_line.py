"""The command line: `asrsite COMMAND` where it is installed, `manage.py COMMAND` in a checkout."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from . import __version__


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")
    if sys.argv[1:] in (["--version"], ["version"]):
        sys.stdout.write(f"asrsite {__version__}\n")
    else:
        execute_from_command_line(sys.argv)
