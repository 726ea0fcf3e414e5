"""The locks are those of the requirements: `make lock` writes them."""

from __future__ import annotations

import re

import pytest

from tests.support.server import ROOT

TORCH = "torch"
"""Installed first and by its version alone: its builds share it."""


def required(name: str) -> dict[str, str]:
    """Return the versions that a file of requirements asks for."""
    lines = (ROOT / name).read_text().splitlines()
    found = [re.fullmatch(r"([A-Za-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", line) for line in lines]
    return {match[1].lower(): match[2] for match in found if match}


def locked(name: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock: on other machines it may be another one."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.M):
        found.setdefault(package, set()).add(version)
    return found


@pytest.mark.parametrize("kind", ["requirements", "requirements-dev", "requirements-pipecat"])
def test_a_lock_has_each_requirement_in_the_version_asked_for(kind: str) -> None:
    everything = locked("requirements.lock") | locked("requirements-dev.lock") | locked(f"{kind}.lock")
    for package, version in required(f"{kind}.txt").items():
        if package != TORCH:
            assert version in everything.get(package, set()), f"{package}=={version}: run make lock"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-pipecat.lock"])
def test_each_package_of_a_lock_has_hashes_and_comes_from_no_place_in_particular(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.M)[1:]
    assert len(entries) > 10
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


def test_no_package_is_in_both_locks_unless_the_product_needs_it_on_windows_alone() -> None:
    text = (ROOT / "requirements.lock").read_text()
    on_windows = set(re.findall(r"^([a-z0-9-]+)==\S+ ; sys_platform == 'win32'", text, re.M))
    assert locked("requirements.lock").keys() & locked("requirements-dev.lock").keys() <= on_windows


def test_neither_torch_nor_what_only_its_build_for_cuda_needs_is_locked() -> None:
    everything = locked("requirements.lock") | locked("requirements-dev.lock")
    assert TORCH in required("requirements.txt")
    assert TORCH not in everything
    assert not [package for package in everything if package.startswith(("nvidia", "cuda", "triton"))]


def test_what_torch_itself_needs_is_locked() -> None:
    assert {"filelock", "jinja2", "networkx", "sympy"} <= locked("requirements.lock").keys()
