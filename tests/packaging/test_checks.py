"""One list of checks: at home, before a commit, and in CI."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.support.server import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text()


def checks() -> list[str]:
    """Return what `make check` makes."""
    line = re.search(r"^check: ([a-z -]+)", MAKEFILE, re.M)
    assert line
    return line[1].split()


def hooks() -> list[dict[str, Any]]:
    [local] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"  # what the locks pin, not what other repositories have
    found: list[dict[str, Any]] = local["hooks"]
    return found


def test_our_script_for_ci_makes_what_check_makes() -> None:
    made = re.findall(r"^make (.+)", (ROOT / ".ci" / "run").read_text(), re.M)
    assert " ".join(made).split() == checks()
    assert made[0] == "test"  # the README's command, as it stands there


def test_the_workflow_makes_check_on_the_oldest_python_that_will_do() -> None:
    steps = yaml.safe_load(WORKFLOW)["jobs"]["check"]["steps"]
    assert {"run": "make check"} in steps
    [python] = [step["with"]["python-version"] for step in steps if "python-version" in step.get("with", {})]
    assert f'requires-python = ">={python}"' in (ROOT / "pyproject.toml").read_text()


def test_hooks_run_the_programs_that_the_checks_run() -> None:
    pinned = (ROOT / "requirements-dev.txt").read_text()
    programs = [hook["entry"].split()[0] for hook in hooks() if not hook["entry"].startswith("make ")]
    assert programs
    for program in programs:
        assert program.startswith(".venv/bin/")
        assert f"\n{Path(program).name}==" in pinned


def test_every_target_of_the_makefile_is_explained_or_a_step_of_another() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*", MAKEFILE, re.M))
    explained = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.M))
    assert targets - explained == {"prepare", "help"}
