"""Which sets a service serves: those that its settings name, or the best that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognition.exceptions import ModelSetError
from recognition.model_sets import reading, selection
from recognition.model_sets.selection import expanded, selected, to_fetch

SET = 'title = "Ours"\n[[script]]\ntext = "好"\n'
LISTENS = 'title = "{}"\n[vad]\ntitle = "v"\nlicence = "MIT"\nkind = "fsmn"\nhub = "x/{}"\n' + (
    '[offline]\ntitle = "o"\nlicence = "MIT"\nhub = "x/{}"\n'
)


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the three sets that `auto` knows; the built-in one needs no files."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in ("paraformer-zh", "people"):
        (folder / f"{name}.toml").write_text(LISTENS.replace("{}", name))
    (folder / "embedded.toml").write_text(SET)
    monkeypatch.setattr(reading, "_BUILT_IN", folder)
    return folder


def fetch(models_dir: Path, name: str) -> None:
    directory = models_dir / "x" / name / "master"
    directory.mkdir(parents=True)
    for file in ("config.yaml", "am.mvn", "model.pt", "tokens.json"):
        (directory / file).touch()


class TestAuto:
    def test_takes_the_built_in_set_where_there_is_nothing_else(self, shipped: Path, tmp_path: Path) -> None:
        assert expanded(["auto"], tmp_path) == ["embedded"]

    @pytest.mark.parametrize("name", ["people", "paraformer-zh"])
    def test_takes_what_was_fetched_and_the_built_in_set_beside_it(
        self, shipped: Path, tmp_path: Path, name: str
    ) -> None:
        fetch(tmp_path, name)

        assert expanded(["auto"], tmp_path) == [name, "embedded"]

    def test_takes_the_best_of_several(self, shipped: Path, tmp_path: Path) -> None:
        fetch(tmp_path, "people")
        fetch(tmp_path, "paraformer-zh")

        assert expanded(["auto"], tmp_path) == ["paraformer-zh", "embedded"]

    def test_does_without_sets_that_do_not_come_with_the_product(self, shipped: Path, tmp_path: Path) -> None:
        for name in ("people", "paraformer-zh"):
            (shipped / f"{name}.toml").unlink()

        assert expanded(["auto"], tmp_path) == ["embedded"]
        assert to_fetch(["auto"], tmp_path) == []

    def test_stands_beside_sets_that_are_named(self, shipped: Path, tmp_path: Path) -> None:
        assert expanded(["paraformer-zh", "auto"], tmp_path) == ["paraformer-zh", "embedded"]
        assert expanded(["embedded", "auto"], tmp_path) == ["embedded"]


class TestFetching:
    def wanted(self, names: list[str], models_dir: Path) -> list[str]:
        return [each.name for each in to_fetch(names, models_dir)]

    def test_auto_wants_the_set_for_people(self, shipped: Path, tmp_path: Path) -> None:
        assert self.wanted(["auto"], tmp_path) == ["people"]

    def test_auto_wants_nothing_where_a_better_one_is(self, shipped: Path, tmp_path: Path) -> None:
        fetch(tmp_path, "paraformer-zh")

        assert self.wanted(["auto"], tmp_path) == []

    def test_named_sets_are_wanted_if_they_are_incomplete(self, shipped: Path, tmp_path: Path) -> None:
        assert self.wanted(["embedded", "paraformer-zh"], tmp_path) == ["paraformer-zh"]
        fetch(tmp_path, "paraformer-zh")
        assert self.wanted(["embedded", "paraformer-zh"], tmp_path) == []


class TestSelected:
    def write(self, file: Path) -> str:
        file.parent.mkdir(exist_ok=True)
        file.write_text(SET)
        return str(file)

    def test_sets_keep_the_order_in_which_they_are_named(self, tmp_path: Path) -> None:
        own = self.write(tmp_path / "own.toml")

        assert [each.name for each in selected([own, "embedded"], tmp_path)] == ["own", "embedded"]

    def test_one_that_is_named_twice_is_served_once(self, tmp_path: Path) -> None:
        assert [each.name for each in selected(["embedded", "embedded"], tmp_path)] == ["embedded"]

    def test_two_of_one_name_are_refused_with_both_files(self, tmp_path: Path) -> None:
        first, second = self.write(tmp_path / "a" / "own.toml"), self.write(tmp_path / "b" / "own.toml")

        with pytest.raises(ModelSetError, match=f"two model sets are called own, {first} and {second}"):
            selected([first, second], tmp_path)

    def test_auto_is_no_name_of_a_set(self) -> None:
        assert selection.AUTO not in reading.model_set_names()
