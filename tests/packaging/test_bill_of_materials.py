"""The bill of materials has what a release is made of; its own schema says that it is one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asrsite import __version__
from deploy import bill_of_materials, licences
from recognition.model_sets.reading import read_model_set


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bill_of_materials.as_json(bill_of_materials.bill()))
    return found


def components(bill: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in bill["components"] if each["type"] == kind}


def test_it_is_of_this_version(bill: dict[str, Any]) -> None:
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["version"] == __version__


def test_every_package_of_the_lock_is_in_it_with_hashes_and_licence(bill: dict[str, Any]) -> None:
    found = components(bill, "library")
    assert found.keys() == {"torch", *licences.locked("requirements.lock")}
    assert all(each["hashes"] for name, each in found.items() if name != "torch")
    assert all(each["licenses"] for each in found.values())
    assert found["django"]["purl"] == f"pkg:pypi/django@{found['django']['version']}"


def test_weights_are_in_it_by_the_hash_that_they_are_fetched_by(bill: dict[str, Any]) -> None:
    weights = components(bill, "machine-learning-model")
    wanted = read_model_set("people").sources["offline"].files["model.bin"]
    assert weights["people/model.bin"]["hashes"] == [{"alg": "SHA-256", "content": wanted.sha256}]
