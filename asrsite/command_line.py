"""The command line: `asrsite COMMAND` where it is installed, `manage.py COMMAND` in a checkout."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from . import __version__

MISSING = "The SDK of MCP is missing. Install it: pip install 'asrsite[mcp]', or pip install mcp\n"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "asrsite.settings")
    if sys.argv[1:] in (["--version"], ["version"]):
        sys.stdout.write(f"asrsite {__version__}\n")
    elif sys.argv[1:2] == ["mcp"]:
        _serve_meetings(sys.argv[2:])
    else:
        execute_from_command_line(sys.argv)


def _serve_meetings(arguments: list[str]) -> None:
    """Begin without Django: this runs where no server of ours is."""
    try:
        from .mcp_server import main as serve
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] in ("mcp", "httpx2"):
            sys.stderr.write(MISSING)
            raise SystemExit(1) from None
        raise
    serve(arguments)
