"""What pip says, and wheels in a folder; fetching them is in `test_fetching`."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognition.model_sets.files import Wheel
from recognition.model_sets.wheels import announced_length, find_wheel, pips_reason

from .local_places import wheel_of

PLATFORM = "cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64"


@pytest.mark.parametrize(
    ("line", "length"),
    [
        ("Downloading weights_a-1.0.0-py3-none-any.whl (66.3 MB)", 66_300_000),
        ("Downloading weights_a-1.0.0-py3-none-any.whl (812 bytes)", 812),
        ("Downloading http://index/weights_a-1.0.0-py3-none-any.whl (5.9 kB)", 5_900),
        ("Downloading weights_a-1.0.0-py3-none-any.whl.metadata (812 bytes)", 0),
        ("Collecting weights-a==1.0.0", 0),
    ],
)
def test_the_length_of_a_wheel_is_what_pip_announces(line: str, length: int) -> None:
    assert announced_length(line) == length


class TestReason:
    def test_an_index_that_cannot_be_reached_is_told_without_what_libraries_say_around_it(self) -> None:
        lines = [
            "Could not fetch URL http://i/simple/a/: connection error: HTTPConnectionPool(host='i', port=9): "
            "Max retries (Caused by NewConnectionError('<Connection object at 0x7f>: refused')) - skipping",
            "ERROR: No matching distribution found for a==1",
        ]
        assert pips_reason(lines) == "it cannot be reached: refused"

    def test_otherwise_it_is_the_last_error(self) -> None:
        lines = ["Collecting a==1", "ERROR: one", "ERROR: two", "Traceback (most recent call last):"]
        assert pips_reason(lines) == "two"

    def test_a_python_without_pip_says_so(self) -> None:
        assert pips_reason(["/usr/bin/python: No module named pip"]) == "/usr/bin/python: No module named pip"

    def test_something_is_told_when_nothing_was_said(self) -> None:
        assert pips_reason([]) == "pip says nothing"


class TestFind:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "deep").mkdir()
        for name, tag in (("weights_a_b-1.0.0", "py3-none-any"), ("weights_a_b-1.0.1", PLATFORM)):
            (tmp_path / "deep" / f"{name}-{tag}.whl").write_bytes(wheel_of(name, tag, {}))
        return tmp_path

    @pytest.mark.parametrize("project", ["weights-a-b", "Weights.A_b", "weights_a.b"])
    def test_it_is_known_by_any_spelling_of_its_project_and_by_its_version(
        self, folder: Path, project: str
    ) -> None:
        found = find_wheel(Wheel(project, "1.0.1"), folder)
        assert found
        assert found.name == f"weights_a_b-1.0.1-{PLATFORM}.whl"

    @pytest.mark.parametrize("wheel", [Wheel("weights-a-b", "1.0"), Wheel("weights-a", "1.0.1")])
    def test_another_project_or_version_is_not_it(self, folder: Path, wheel: Wheel) -> None:
        assert find_wheel(wheel, folder) is None

    def test_one_that_was_cut_short_is_not_there(self, folder: Path) -> None:
        [path] = folder.rglob("weights_a_b-1.0.1*")
        path.write_bytes(path.read_bytes()[:-30])
        assert find_wheel(Wheel("weights-a-b", "1.0.1"), folder) is None
