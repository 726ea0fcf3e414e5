"""Files named by their content, fetched from stand-ins of the places where they may be."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from recognition.exceptions import ModelError
from recognition.model_sets.attempts import Patience
from recognition.model_sets.fetching import Fetching, fetch_files, is_here
from recognition.model_sets.files import FilePlace, HubFile, ModelFile, Wheel, WheelMembers

from .local_places import Places, serving, use

CONTENT = bytes(range(256)) * 400
WRONG = CONTENT[:-1] + b"\0"
"""By one byte."""

INDEX = WheelMembers(((Wheel("weights-a", "1.0.0"), "weights_a/model.bin"),))
HUGGING_FACE = HubFile("huggingface", "some/weights", "abc", "model.bin")
MODELSCOPE = HubFile("modelscope", "some/weights", "v1", "model.bin")

AT_HUGGING_FACE = "/hf/some/weights/resolve/abc/model.bin"
AT_MODELSCOPE = "/ms/api/v1/models/some/weights/repo?Revision=v1&FilePath=model.bin"

IMPATIENT = Patience(answer_s=1.0, window_s=0.6, window_bytes=20_000)


@pytest.fixture(scope="module")
def server() -> Iterator[Places]:
    with serving() as places:
        yield places


@pytest.fixture
def places(server: Places, monkeypatch: pytest.MonkeyPatch) -> Places:
    server.content, server.requests, server.breaks_off_after = {}, [], []
    server.pause_s, server.ignores_ranges, server.announces_length = 0.0, False, True
    use(server, monkeypatch)
    return server


def file(*where: FilePlace, name: str = "model.bin") -> ModelFile:
    return ModelFile(name, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), where)


class Fetched:
    """A directory for the model, and what was told meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path / "by-content" / "0123"
        self.told: list[str] = []
        self.reported: list[int] = []

    def fetch(self, *files: ModelFile, folder: Path | None = None, patience: Patience | None = None) -> None:
        fetching = Fetching(folder, self.told.append, patience or Patience())
        fetch_files({each.name: each for each in files}, self.path, fetching, self.reported.append)

    def names(self) -> set[str]:
        return {path.name for path in self.path.rglob("*") if path.is_file()} - {".lock"}


@pytest.fixture
def model(tmp_path: Path) -> Fetched:
    return Fetched(tmp_path / "models")


class TestHubs:
    @pytest.mark.parametrize(
        ("place", "path"), [(HUGGING_FACE, AT_HUGGING_FACE), (MODELSCOPE, AT_MODELSCOPE)]
    )
    def test_a_file_arrives_from_its_hub(
        self, places: Places, model: Fetched, place: HubFile, path: str
    ) -> None:
        places.content[path] = CONTENT

        model.fetch(file(place, name="deep/model.bin"))

        assert (model.path / "deep" / "model.bin").read_bytes() == CONTENT
        assert model.names() == {"model.bin"}
        assert model.told == []
        assert model.reported == sorted(model.reported)
        assert model.reported[-1] == len(CONTENT)

    def test_what_is_there_is_not_asked_for(self, places: Places, model: Fetched) -> None:
        places.content[AT_HUGGING_FACE] = CONTENT
        model.fetch(file(HUGGING_FACE))
        places.requests.clear()

        model.fetch(file(HUGGING_FACE))

        assert places.requests == []

    def test_what_was_damaged_since_is_fetched_again(self, places: Places, model: Fetched) -> None:
        places.content[AT_HUGGING_FACE] = CONTENT
        model.fetch(file(HUGGING_FACE))
        (model.path / "model.bin").write_bytes(WRONG)
        assert not is_here(file(), model.path)

        model.fetch(file(HUGGING_FACE))

        assert is_here(file(), model.path)


class TestResuming:
    def test_a_connection_that_drops_is_taken_up_where_it_stopped(
        self, places: Places, model: Fetched
    ) -> None:
        places.content[AT_HUGGING_FACE] = CONTENT
        places.breaks_off_after = [30_000, 20_000]

        model.fetch(file(HUGGING_FACE))

        assert [wanted for _, wanted in places.requests] == [None, "bytes=30000-", "bytes=50000-"]
        assert is_here(file(), model.path)
        assert "it broke off" in model.told[0]

    def test_another_place_goes_on_with_what_came_from_the_first(
        self, places: Places, model: Fetched
    ) -> None:
        places.content |= {AT_HUGGING_FACE: CONTENT, AT_MODELSCOPE: CONTENT}
        places.breaks_off_after = [30_000, 0]

        model.fetch(file(HUGGING_FACE, MODELSCOPE))

        assert places.requests[-1] == (AT_MODELSCOPE, "bytes=30000-")
        assert is_here(file(), model.path)

    def test_a_beginning_that_was_wrong_is_not_held_against_the_next_place(
        self, places: Places, model: Fetched
    ) -> None:
        places.content |= {AT_HUGGING_FACE: b"x" * len(CONTENT), AT_MODELSCOPE: CONTENT}
        places.breaks_off_after = [30_000, 0]

        model.fetch(file(HUGGING_FACE, MODELSCOPE))

        assert [wanted for path, wanted in places.requests if path == AT_MODELSCOPE] == ["bytes=30000-", None]
        assert is_here(file(), model.path)

    def test_the_next_call_goes_on_where_this_one_gave_up(self, places: Places, model: Fetched) -> None:
        places.content[AT_HUGGING_FACE] = CONTENT
        places.breaks_off_after = [40_000, 0]
        with pytest.raises(ModelError):
            model.fetch(file(HUGGING_FACE))

        model.fetch(file(HUGGING_FACE))

        assert places.requests[-1][1] == "bytes=40000-"
        assert is_here(file(), model.path)

    def test_what_came_whole_and_only_lacks_its_name_is_not_fetched_again(
        self, places: Places, model: Fetched
    ) -> None:
        (model.path / ".unfinished").mkdir(parents=True)
        (model.path / ".unfinished" / file().sha256).write_bytes(CONTENT)

        model.fetch(file(HUGGING_FACE))

        assert is_here(file(), model.path)
        assert places.requests == []

    def test_a_hub_that_knows_no_parts_sends_all_of_it(self, places: Places, model: Fetched) -> None:
        places.content[AT_HUGGING_FACE] = CONTENT
        places.breaks_off_after, places.ignores_ranges = [30_000], True

        model.fetch(file(HUGGING_FACE))

        assert len(places.requests) == 2
        assert is_here(file(), model.path)

    def test_what_came_is_more_than_the_next_place_has(self, places: Places, model: Fetched) -> None:
        places.content |= {AT_HUGGING_FACE: CONTENT, AT_MODELSCOPE: CONTENT[:10]}
        places.breaks_off_after = [30_000, 0]

        with pytest.raises(ModelError, match=r"ModelScope .*: it has less than what came from elsewhere"):
            model.fetch(file(HUGGING_FACE, MODELSCOPE))
        model.fetch(file(HUGGING_FACE))

        assert places.requests[-1] == (AT_HUGGING_FACE, "bytes=30000-")  # it is no loss


class TestWrong:
    def test_a_file_that_is_wrong_by_one_byte_is_not_kept_and_the_next_place_is_asked(
        self, places: Places, model: Fetched
    ) -> None:
        places.content |= {AT_HUGGING_FACE: WRONG, AT_MODELSCOPE: CONTENT}

        model.fetch(file(HUGGING_FACE, MODELSCOPE))

        assert is_here(file(), model.path)
        [told] = model.told
        assert told.startswith(
            "model.bin: not from Hugging Face (some/weights): it has another content (sha256 "
        )

    def test_a_file_that_never_ends_is_left_after_its_size(self, places: Places, model: Fetched) -> None:
        places.content |= {AT_HUGGING_FACE: CONTENT * 50, AT_MODELSCOPE: CONTENT}
        places.announces_length = False

        model.fetch(file(HUGGING_FACE, MODELSCOPE))

        assert is_here(file(), model.path)
        assert max(model.reported) < 3 * len(CONTENT)

    def test_a_page_in_place_of_the_file_is_known_by_its_size(self, places: Places, model: Fetched) -> None:
        places.content[AT_MODELSCOPE] = b"Please log in."

        with pytest.raises(ModelError, match=r"ModelScope .*: it has 14 bytes instead of 102400"):
            model.fetch(file(MODELSCOPE))

    def test_after_the_last_place_the_file_the_places_and_the_reasons_are_told(
        self, places: Places, model: Fetched
    ) -> None:
        places.content[AT_HUGGING_FACE] = WRONG

        with pytest.raises(ModelError) as failed:
            model.fetch(file(HUGGING_FACE, MODELSCOPE))

        said = str(failed.value)
        assert said.startswith(
            "model.bin could not be fetched from any place: Hugging Face (some/weights): it has"
        )
        assert said.endswith("; ModelScope (some/weights): it answers with 404 Not Found")
        assert not (model.path / "model.bin").exists()


def connections(listening: socket.socket) -> int:
    """Return how many are waiting there."""
    listening.setblocking(False)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listening.accept()[0].close()
            count += 1
    return count


class TestDeadAndSlow:
    def test_a_hub_that_is_dead_gives_way_with_its_reason(
        self, places: Places, model: Fetched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        places.content[AT_MODELSCOPE] = CONTENT

        model.fetch(file(HUGGING_FACE, MODELSCOPE))

        assert is_here(file(), model.path)
        assert "it cannot be reached: Failed to establish a new connection" in model.told[0]

    def test_a_hub_that_takes_connections_and_says_nothing_is_dead_and_asked_once(
        self, places: Places, model: Fetched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        places.content[AT_MODELSCOPE] = CONTENT
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
            other = ModelFile("b", "0" * 64, 7, (HUGGING_FACE,), is_optional=True)

            model.fetch(file(HUGGING_FACE, MODELSCOPE), other, patience=Patience(answer_s=0.2))

            assert connections(silent) == 1
        assert model.told == [
            "model.bin: not from Hugging Face (some/weights): it does not answer",
            "b: not from Hugging Face (some/weights): it does not answer",
        ]

    def test_a_hub_that_trickles_is_left(self, places: Places, model: Fetched) -> None:
        places.content |= {AT_HUGGING_FACE: CONTENT}
        places.pause_s = 0.05

        with pytest.raises(ModelError, match=r"Hugging Face \(some/weights\): it is too slow"):
            model.fetch(file(HUGGING_FACE), patience=IMPATIENT)


class TestWheels:
    def test_parts_are_joined_in_order_and_the_platform_is_that_of_the_weights(
        self, places: Places, model: Fetched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        half = len(CONTENT) // 2
        tag = "cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64"
        places.publish("weights-a", "1.0.0", {"a/model.1": CONTENT[:half]})
        places.publish("weights-a", "1.0.1", {"a/model.1": b"another version"})
        places.publish("weights-b", "2.0", {"b/model.2": CONTENT[half:], "b/LICENSE": CONTENT}, tag)
        parts = WheelMembers(
            ((Wheel("weights-a", "1.0.0"), "a/model.1"), (Wheel("weights-b", "2.0"), "b/model.2"))
        )
        licence = WheelMembers(((Wheel("weights-b", "2.0"), "b/LICENSE"),))

        model.fetch(file(parts), file(licence, name="LICENSE"))

        assert is_here(file(), model.path)
        assert model.names() == {"model.bin", "LICENSE"}
        assert len([path for path in places.paths() if path.endswith(".whl")]) == 2  # each once
        assert model.reported == sorted(model.reported)

    def test_a_wheel_that_breaks_off_gives_way_to_the_next_place(
        self, places: Places, model: Fetched
    ) -> None:
        places.publish("weights-a", "1.0.0", {"weights_a/model.bin": os.urandom(300_000)})
        places.content[AT_HUGGING_FACE] = CONTENT
        places.breaks_off_after = [100_000]

        model.fetch(file(INDEX, HUGGING_FACE))

        assert is_here(file(), model.path)
        assert "not from the Python index (weights-a==1.0.0): " in model.told[0]

    def test_a_wheel_that_trickles_gives_way_to_the_next_place(self, places: Places, model: Fetched) -> None:
        places.publish("weights-a", "1.0.0", {"weights_a/model.bin": os.urandom(300_000)})
        places.pause_s = 0.05

        with pytest.raises(ModelError, match=r"the Python index \(weights-a==1\.0\.0\): it is too slow"):
            model.fetch(file(INDEX), patience=Patience(answer_s=20, window_s=1, window_bytes=100_000))

    def test_an_index_that_is_dead_is_asked_once_and_the_reason_told(
        self, places: Places, model: Fetched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        other = WheelMembers(((Wheel("weights-b", "2.0"), "b/model.2"),))

        with pytest.raises(
            ModelError, match=r"weights-b==2\.0\): it cannot be reached: .*Connection refused"
        ):
            model.fetch(file(INDEX, other))

    def test_an_index_without_the_project_is_still_asked_for_others(
        self, places: Places, model: Fetched
    ) -> None:
        places.publish("weights-b", "2.0", {"b/model.2": CONTENT})
        other = WheelMembers(((Wheel("weights-b", "2.0"), "b/model.2"),))

        model.fetch(file(INDEX, other))

        assert is_here(file(), model.path)
        assert model.told == [
            "model.bin: not from the Python index (weights-a==1.0.0): "
            "No matching distribution found for weights-a==1.0.0"
        ]


class TestFolder:
    """`--from`: what somebody carried here."""

    def test_a_file_is_known_by_its_content_whatever_its_name(
        self, places: Places, model: Fetched, tmp_path: Path
    ) -> None:
        (tmp_path / "stick" / "deep").mkdir(parents=True)
        (tmp_path / "stick" / "deep" / "blob").write_bytes(CONTENT)

        model.fetch(file(HUGGING_FACE), folder=tmp_path / "stick")

        assert is_here(file(), model.path)
        assert places.requests == []
        assert (tmp_path / "stick" / "deep" / "blob").exists()

    def test_a_wrong_one_is_told_and_the_places_are_asked(
        self, places: Places, model: Fetched, tmp_path: Path
    ) -> None:
        (tmp_path / "model.bin").write_bytes(WRONG)
        places.content[AT_HUGGING_FACE] = CONTENT

        model.fetch(file(HUGGING_FACE), folder=tmp_path)

        assert is_here(file(), model.path)
        assert f"model.bin: not from {tmp_path}/model.bin: it has another content" in model.told[0]

    def test_wheels_in_it_are_read(self, places: Places, model: Fetched, tmp_path: Path) -> None:
        places.publish("weights-a", "1.0.0", {"weights_a/model.bin": CONTENT})
        (tmp_path / "weights_a-1.0.0-py3-none-any.whl").write_bytes(
            places.content["/packages/weights_a-1.0.0-py3-none-any.whl"]
        )

        model.fetch(file(INDEX), folder=tmp_path)

        assert is_here(file(), model.path)
        assert places.requests == []

    @pytest.mark.parametrize(
        ("members", "told"),
        [
            ({"other": CONTENT}, r"weights-a==1\.0\.0 has no weights_a/model\.bin"),
            ({"weights_a/model.bin": WRONG}, "it has another content"),
            ({"weights_a/model.bin": CONTENT[:-1]}, "it has 102399 bytes instead of 102400"),
            ({"weights_a/model.bin": CONTENT + b"x"}, r"is larger than the file that is meant"),
        ],
    )
    def test_a_wheel_with_something_else_is_told(
        self, places: Places, model: Fetched, tmp_path: Path, members: dict[str, bytes], told: str
    ) -> None:
        places.publish("weights-a", "1.0.0", members)
        (tmp_path / "weights_a-1.0.0-py3-none-any.whl").write_bytes(
            places.content["/packages/weights_a-1.0.0-py3-none-any.whl"]
        )

        with pytest.raises(ModelError, match=told):
            model.fetch(file(INDEX), folder=tmp_path)

    def test_a_damaged_wheel_is_told(self, places: Places, model: Fetched, tmp_path: Path) -> None:
        places.publish("weights-a", "1.0.0", {"weights_a/model.bin": os.urandom(102_400)})
        wheel = bytearray(places.content["/packages/weights_a-1.0.0-py3-none-any.whl"])
        wheel[len(wheel) // 2] ^= 1
        (tmp_path / "weights_a-1.0.0-py3-none-any.whl").write_bytes(wheel)

        with pytest.raises(ModelError, match=r"weights-a==1\.0\.0 is damaged"):
            model.fetch(file(INDEX), folder=tmp_path)

    def test_after_a_damaged_wheel_the_index_is_asked(
        self, places: Places, model: Fetched, tmp_path: Path
    ) -> None:
        places.publish("weights-a", "1.0.0", {"weights_a/model.bin": WRONG})
        wheel = "weights_a-1.0.0-py3-none-any.whl"
        (tmp_path / wheel).write_bytes(places.content.pop(f"/packages/{wheel}"))
        places.publish("weights-a", "1.0.0", {"weights_a/model.bin": CONTENT})

        model.fetch(file(INDEX), folder=tmp_path)

        assert is_here(file(), model.path)
        [told] = model.told
        assert f"not from the Python index (weights-a==1.0.0) in {tmp_path}: it has another content" in told

    def test_a_file_of_another_model_here_is_copied(self, places: Places, model: Fetched) -> None:
        other = model.path.parent / "4567"
        other.mkdir(parents=True)
        (other / "weights").write_bytes(CONTENT)

        model.fetch(file(HUGGING_FACE))

        assert is_here(file(), model.path)
        assert places.requests == []


def test_a_licence_that_cannot_be_had_is_told_and_nothing_fails(places: Places, model: Fetched) -> None:
    places.content[AT_HUGGING_FACE] = CONTENT

    licence = ModelFile("LICENSE", "0" * 64, 1063, (MODELSCOPE,), is_optional=True)

    model.fetch(file(HUGGING_FACE), licence)

    assert model.names() == {"model.bin"}
    assert model.told == ["LICENSE: not from ModelScope (some/weights): it answers with 404 Not Found"]
