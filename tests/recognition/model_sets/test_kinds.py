"""The table of kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from recognition.exceptions import ModelSetError
from recognition.funasr.options import FsmnOptions, SileroOptions
from recognition.model_options import ModelOptions
from recognition.model_sets.kinds import KINDS, REQUIRED_ROLES, ROLES, find_kind, kind_name
from recognition.tables import Place, read_table

PLACE = Place("own.toml", "vad")
ALL = [(role, name) for role, kinds in KINDS.items() for name in kinds]


def test_there_is_a_kind_for_every_role_of_a_set() -> None:
    assert ROLES == (
        "vad",
        "streaming",
        "offline",
        "language_model",
        "punctuation",
        "speaker",
        "segmentation",
    )
    assert set(REQUIRED_ROLES) <= set(ROLES)
    assert all(KINDS.values())


@pytest.mark.parametrize(("role", "name"), ALL)
class TestEveryKind:
    def test_its_class_is_found(self, role: str, name: str) -> None:
        assert issubclass(find_kind(role, name, PLACE), ModelOptions)

    def test_its_options_are_frozen_and_each_has_a_default(self, role: str, name: str) -> None:
        kind = find_kind(role, name, PLACE)
        assert is_dataclass(kind)
        assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
        assert read_table(kind, {}, PLACE) == kind()

    def test_its_defaults_are_in_the_ranges_that_it_demands(self, role: str, name: str) -> None:
        kind = find_kind(role, name, PLACE)
        defaults = {field.name: getattr(kind(), field.name) for field in fields(kind)}
        lists = {name: list(value) for name, value in defaults.items() if isinstance(value, tuple)}
        assert read_table(kind, defaults | lists, PLACE) == kind()

    def test_a_folder_without_its_files_is_not_complete(self, role: str, name: str, tmp_path: Path) -> None:
        kind = find_kind(role, name, PLACE)
        assert not kind.is_complete(tmp_path)
        assert not kind.is_complete(tmp_path / "nowhere")

    def test_it_says_which_files_it_wants_of_a_hub(self, role: str, name: str) -> None:
        kind = find_kind(role, name, PLACE)
        assert kind.package or kind.wanted_files


class TestKindNames:
    @pytest.mark.parametrize(
        ("table", "name"),
        [
            ({}, "fsmn"),
            ({"hub": "iic/vad"}, "fsmn"),
            ({"package": "silero-vad"}, "silero"),
            ({"package": "another"}, "fsmn"),
            ({"package": ["silero-vad"]}, "fsmn"),
            ({"kind": "silero"}, "silero"),
            ({"kind": "fsmn", "package": "silero-vad"}, "fsmn"),
            ({"kind": "a.b.C"}, "a.b.C"),
        ],
    )
    def test_it_is_the_one_named_or_that_of_the_package_or_the_first(
        self, table: Mapping[str, object], name: str
    ) -> None:
        assert kind_name("vad", table) == name


class TestFinding:
    def test_by_name(self) -> None:
        assert find_kind("vad", "silero", PLACE) is SileroOptions

    def test_by_dotted_path(self) -> None:
        assert find_kind("vad", "recognition.funasr.options.FsmnOptions", PLACE) is FsmnOptions

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "whisper",
                'kind = "whisper" is refused; it takes "fsmn", "silero", or the dotted path of a class',
            ),
            ("paraformer", 'kind = "paraformer" is refused; it takes "fsmn", "silero", or'),
            (
                "no_such_package.Options",
                'kind = "no_such_package.Options" cannot be imported: No module named',
            ),
            (
                "recognition.tables.Options",
                "cannot be imported: module 'recognition.tables' has no attribute",
            ),
            ("recognition.tables.Between", 'kind = "recognition.tables.Between" is no class derived from'),
            ("recognition.tables.read_table", "is no class derived from ModelOptions"),
            (".Options", 'kind = ".Options" cannot be imported: '),
            ("..Options", 'kind = "..Options" cannot be imported: '),
            ("Options.", 'kind = "Options." cannot be imported: '),
        ],
    )
    def test_what_is_not_there_is_told_with_its_place(self, name: str, message: str) -> None:
        with pytest.raises(ModelSetError) as refused:
            find_kind("vad", name, PLACE)
        assert str(refused.value).startswith("own.toml: [vad]: ")
        assert message in str(refused.value)

    def test_a_module_with_a_mistake_in_it_is_told_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "mistaken_family.py").write_text("class Options(:\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(
            ModelSetError, match=r'kind = "mistaken_family.Options" cannot be imported: invalid'
        ):
            find_kind("vad", "mistaken_family.Options", PLACE)
