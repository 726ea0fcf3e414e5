"""The commands of the READMEs: each is run here, or named with the test that runs it, as it stands there."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import execute_from_command_line
from django.test import Client

from tests.sessions_app.meetings import make_lines, make_session
from tests.support.imports import PACKAGES, foreign_imports, modules
from tests.support.server import ROOT

from .test_lock import TORCH, locked

READMES = ["README.md", "README.zh-CN.md", "examples/README.md"]

SEND_SAMPLE = ".venv/bin/python examples/send.py sessions_app/sample/meeting.flac"

TRIED_ELSEWHERE = {
    "make run": "tests/server/test_first_start.py",
    "make run ASR_MODELS=paraformer-zh": "tests/sessions_app/management/commands/test_prepare.py",
    "HOST=0.0.0.0 make run": "tests/sessions_app/management/commands/test_serve.py",
    "make test": "tests/packaging/test_checks.py",
    "make check": "tests/packaging/test_checks.py",
    "make wheel": "tests/packaging/test_wheel.py",
    "make chaos": "tests/benchmarks/test_chaos.py",
    "make scale-demo": "tests/deploy/test_scale_demo.py",
    "make screenshots": "tests/browser/screenshots.py",
    "asrsite serve": "tests/packaging/test_wheel.py",
    "manage.py models list": "tests/sessions_app/management/commands/test_models.py",
    ".venv/bin/python manage.py models check embedded": (
        "tests/sessions_app/management/commands/test_models.py"
    ),
    ".venv/bin/python -m benchmarks.sample_meeting": "tests/benchmarks/test_sample_meeting.py",
    f"{SEND_SAMPLE} --session my-meeting --models embedded": "tests/examples/test_resuming.py",
    ".venv/bin/python examples/receive.py my-meeting": "tests/examples/test_resuming.py",
    f"{SEND_SAMPLE} --session demo-1 --models embedded": "tests/examples/test_resuming.py",
    ".venv/bin/python examples/receive.py demo-1": "tests/examples/test_resuming.py",
}
"""Commands that take a server or minutes, and a test that does what they do."""

RUN_HERE = {
    ".venv/bin/python manage.py models list",
    "curl http://127.0.0.1:8000/sessions/my-meeting/export/txt",
}

FOR_THE_READER = {
    # The address is where the reader has this file from; the packages are for a program of their own.
    "git clone ADDRESS_OF_THIS_REPOSITORY asrsite && cd asrsite",
    "pip install websockets soundfile",
}

NO_COMMAND = re.compile(r"(ws://|→ |← )")
"""The protocol in ten lines."""

COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )?(?:make|git|curl|pip|python|\.venv/bin/\w+|manage\.py|asrsite) ")


def blocks(readme: str) -> Iterator[str]:
    """The lines of the code blocks of a README."""
    for line in (ROOT / readme).read_text().splitlines():
        if line.startswith("    ") and not NO_COMMAND.match(line.strip()):
            yield line.strip()


def commands(readme: str) -> set[str]:
    """The commands in the blocks of a README and in its sentences."""
    said = re.findall(r"`([^`\n]+)`", (ROOT / readme).read_text())
    return {*blocks(readme), *(text for text in said if COMMAND.match(text))}


@pytest.mark.parametrize("readme", READMES)
def test_every_command_is_tried(readme: str) -> None:
    assert commands(readme) <= {*TRIED_ELSEWHERE, *RUN_HERE, *FOR_THE_READER}


def test_none_is_tried_that_no_readme_has() -> None:
    said = set().union(*map(commands, READMES))
    assert {*TRIED_ELSEWHERE, *RUN_HERE, *FOR_THE_READER} <= said


def test_both_languages_have_the_same() -> None:
    assert commands("README.md") == commands("README.zh-CN.md")
    assert list(blocks("README.md")) == list(blocks("README.zh-CN.md"))


@pytest.mark.parametrize("command", TRIED_ELSEWHERE)
def test_what_is_tried_elsewhere_is_tried_there(command: str) -> None:
    """The test of a program or target names it, or what it is made of."""
    words = [word for word in command.split() if "=" not in word]
    named = Path(words[1]).name if words[0] == ".venv/bin/python" else words[-1]
    meant = {"-m": "sample_meeting", "manage.py": "check", "receive.py": "receive.py", "run": "serve"}
    text = (ROOT / TRIED_ELSEWHERE[command]).read_text()
    assert meant.get(named, named) in text or named in text


@pytest.mark.parametrize("readme", READMES)
def test_files_and_targets_in_commands_are_there(readme: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in commands(readme) - FOR_THE_READER:
        words = [word for word in command.split() if "=" not in word]
        if words[0] == "make":
            assert words[1] in targets, command
        for word in words[1:]:
            if word.endswith((".py", ".flac", ".wav")):
                assert (ROOT / word).exists(), command


@pytest.mark.parametrize("readme", READMES)
def test_python_is_always_that_of_the_installation(readme: str) -> None:
    """In a fresh shell another one has none of the packages."""
    assert [command for command in commands(readme) if command.startswith("python")] == []


@pytest.mark.parametrize("command", sorted(each for each in RUN_HERE if "manage.py" in each))
def test_management_commands_run(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    execute_from_command_line(command.split()[1:])
    assert "embedded" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize("command", sorted(each for each in RUN_HERE if each.startswith("curl")))
def test_transcripts_are_fetched(command: str) -> None:
    address = urlsplit(command.split()[-1]).path
    make_lines(make_session(address.split("/")[2]))
    answer = Client().get(address)
    assert answer.status_code == 200
    assert "大家好" in answer.content.decode()


EXTRAS = {"asrsite.mcp_server": {"mcp"}}
"""Programs that say what to install besides, and with which."""


def test_what_a_reader_runs_needs_nothing_that_only_development_installs() -> None:
    """`make run` installs one lock, and `models check` and the like must do with it."""
    programs = modules() | {"benchmarks.sample_meeting": ROOT / "benchmarks" / "sample_meeting.py"}
    sources = importlib.metadata.packages_distributions()
    installed = {*locked("requirements.lock"), TORCH}
    for program, used in foreign_imports(programs).items():
        for package in used - {*PACKAGES, *sys.stdlib_module_names, "setuptools"}:
            known = {re.sub(r"[-_.]+", "-", name).lower() for name in sources.get(package, [package])}
            assert known & (installed | EXTRAS.get(program, set())), (
                f"{program} needs {package}, which is in no requirements.txt"
            )
