from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlparse

import pytest

from recognition.exceptions import ModelError
from recognition.model_sets.download import Progress, damaged, pinned, pull
from recognition.model_sets.hub import MANIFEST
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, read_model_set

FILES = {
    "config.yaml": b"model: FsmnVADStreaming\n",
    "model.pt": bytes(range(256)) * 2000,
    "am.mvn": b"<Nnet>\n",
    "README.md": b"not wanted",
    "example/asr_example.wav": b"not wanted",
}

SET = """
title = "A set on a hub"
[vad]
title = "VAD"
hub = "iic/vad"
revision = "v2"
licence = "MIT"
{more}
[streaming]
title = "1"
path = "a"
licence = "MIT"
[offline]
title = "2"
path = "a"
licence = "MIT"
[punctuation]
title = "3"
path = "a"
licence = "MIT"
[speaker]
title = "4"
path = "a"
licence = "MIT"
"""


class Hub(ThreadingHTTPServer):
    """Answers the two requests of ModelScope's client as the hub does, and can be told to misbehave."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(FILES)
        self.announced = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
        self.requests: list[tuple[str, str | None]] = []
        self.breaks_off_after: int | None = None
        self.model, self.revision = "iic/vad", "v2"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        url = urlparse(self.path)
        query = parse_qs(url.query)
        repository = f"/api/v1/models/{self.server.model}/repo"
        if url.path == f"{repository}/files" and query["Revision"] == [self.server.revision]:
            files = [
                {"Path": name, "Name": name, "Type": "blob", "Size": len(content), "Sha256": sha256}
                for (name, content), sha256 in zip(
                    self.server.files.items(), self.server.announced.values(), strict=True
                )
            ]
            self.answer(json.dumps({"Code": 200, "Success": True, "Data": {"Files": files}}).encode())
        elif url.path == repository:
            self.answer_file(query["FilePath"][0])
        else:
            self.answer(json.dumps({"Code": 404, "Success": False, "Message": "not found"}).encode(), 404)

    def answer_file(self, name: str) -> None:
        content, wanted = self.server.files[name], self.headers.get("Range")
        self.server.requests.append((name, wanted))
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        limit, self.server.breaks_off_after = self.server.breaks_off_after, None
        self.wfile.write(content[start:] if limit is None else content[start : start + limit])
        self.close_connection = True

    def answer(self, content: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


class HubTests:
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        self.models_dir = tmp_path / "models"
        self.set_file = tmp_path / "own.toml"
        self.directory = self.models_dir / "iic" / "vad" / "v2"
        # The client notes who it is in the user's home.
        for name in ("MODELSCOPE_HOME", "MODELSCOPE_CACHE"):
            monkeypatch.setenv(name, str(tmp_path))
        with Hub() as self.hub:
            thread = threading.Thread(target=self.hub.serve_forever, daemon=True)
            thread.start()
            yield
            self.hub.shutdown()
            thread.join()

    def model_set(self, more: str = "") -> ModelSet:
        self.set_file.write_text(SET.format(more=more), encoding="utf-8")
        return read_model_set(str(self.set_file))

    def pull(self, more: str = "", report: Callable[[Progress], None] = lambda progress: None) -> None:
        pull(self.model_set(more), self.models_dir, report=report, endpoint=self.hub.url)

    def fetched(self) -> list[str]:
        return [name for name, _ in self.hub.requests]


class TestSenseVoice(HubTests):
    """The set `sensevoice` from a hub that has its second pass, with random weights."""

    TEXT = """
base = "sensevoice"
speaker = false
[vad]
kind = "silero"
package = "silero-vad"
"""

    def test_what_was_fetched_recognises(self) -> None:
        from tests.recognition.funasr.random_models import model_path, speech_like

        self.hub.model, self.hub.revision = "iic/SenseVoiceSmall", "master"
        own = {path.name: path.read_bytes() for path in model_path("sensevoice").iterdir()}
        self.hub.files = {**own, "example/zh.mp3": b"not wanted", "fig.png": b"not wanted"}
        self.hub.announced = {
            name: hashlib.sha256(content).hexdigest() for name, content in self.hub.files.items()
        }
        self.set_file.write_text(self.TEXT, encoding="utf-8")
        model_set = read_model_set(str(self.set_file))
        assert model_set.lacks_what_can_be_fetched(self.models_dir)

        pull(model_set, self.models_dir, endpoint=self.hub.url)

        assert sorted(self.fetched()) == sorted(own)
        assert damaged(model_set, self.models_dir) == []
        models = load_models(model_set, self.models_dir, compute_type="float32", device="cpu")
        assert (models.streaming, models.punctuator) == (None, None)
        [words] = models.offline.recognize([speech_like(1, 48_000)])
        assert words


class TestNano(HubTests):
    """The set `fun-asr-nano` from a hub that has its second pass, whose language model lies in a folder."""

    TEXT = """
base = "fun-asr-nano"
speaker = false
[vad]
kind = "silero"
package = "silero-vad"
"""

    def test_what_was_fetched_recognises(self) -> None:
        from tests.recognition.funasr.random_models import model_path, speech_like

        self.hub.model, self.hub.revision = "FunAudioLLM/Fun-ASR-Nano-2512", "master"
        path = model_path("fun-asr-nano")
        own = {str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()}
        others = ("example/zh.mp3", "images/config.yaml", "Qwen3-0.6B/LICENSE")
        self.hub.files = own | dict.fromkeys(others, b"not wanted")
        self.hub.announced = {
            name: hashlib.sha256(content).hexdigest() for name, content in self.hub.files.items()
        }
        self.set_file.write_text(self.TEXT, encoding="utf-8")
        model_set = read_model_set(str(self.set_file))

        pull(model_set, self.models_dir, endpoint=self.hub.url)

        assert sorted(self.fetched()) == sorted(own)
        assert damaged(model_set, self.models_dir) == []
        models = load_models(model_set, self.models_dir, compute_type="float32", device="cpu")
        assert models.recognises_apart
        [words] = models.offline.recognize([speech_like(1, 48_000)])
        assert words


class TestPull(HubTests):
    def test_the_files_of_a_model_arrive_without_examples(self) -> None:
        self.pull()

        names = {path.name for path in self.directory.rglob("*") if path.is_file()}
        assert names == {"config.yaml", "model.pt", "am.mvn", MANIFEST}
        assert (self.directory / "model.pt").read_bytes() == FILES["model.pt"]

    def test_what_is_there_is_not_fetched_again(self) -> None:
        self.pull()
        self.hub.requests.clear()

        self.pull()

        assert self.hub.requests == []

    def test_a_transfer_that_broke_off_goes_on_where_it_stopped(self) -> None:
        self.hub.breaks_off_after = None
        original = Handler.answer_file

        def breaks_off_once(handler: Handler, name: str) -> None:
            if name == "model.pt" and ("model.pt", None) not in self.hub.requests:
                self.hub.breaks_off_after = 300_000
            original(handler, name)

        with mock.patch.object(Handler, "answer_file", breaks_off_once):
            self.pull()

        ranges = [wanted for name, wanted in self.hub.requests if name == "model.pt"]
        assert ranges[0] is None
        assert re.search(r"^bytes=[1-9]\d+-", ranges[1] or "")
        assert (self.directory / "model.pt").read_bytes() == FILES["model.pt"]

    def test_progress_counts_the_bytes_of_all_files(self) -> None:
        seen: list[Progress] = []

        self.pull(report=seen.append)

        total = sum(len(FILES[name]) for name in ("config.yaml", "model.pt", "am.mvn"))
        assert {progress.total for progress in seen} == {total}
        done = [progress.done for progress in seen]
        assert done == sorted(done)
        assert done[-1] == total

    def test_the_manifest_says_what_was_fetched(self) -> None:
        self.pull()

        manifest = json.loads((self.directory / MANIFEST).read_text())
        assert (manifest["hub"], manifest["revision"]) == ("iic/vad", "v2")
        assert manifest["files"]["am.mvn"] == {
            "size": 7,
            "sha256": hashlib.sha256(FILES["am.mvn"]).hexdigest(),
        }


class TestIntegrity(HubTests):
    def test_content_that_is_not_what_the_hub_announces_is_refused_and_not_kept(self) -> None:
        self.hub.announced["model.pt"] = "0" * 64

        with mock.patch("modelscope_hub._download.DOWNLOAD_HASH_RETRY_TIMES", 1):
            with pytest.raises(ModelError, match="iic/vad did not arrive as the hub announces it"):
                self.pull()

        assert not (self.directory / "model.pt").exists()
        assert not (self.directory / MANIFEST).exists()

    def test_content_that_is_not_what_the_set_names_is_refused_and_not_kept(self) -> None:
        with pytest.raises(ModelError, match=r"model.pt is not the file that the model set names"):
            self.pull('sha256 = { "model.pt" = "' + "0" * 64 + '" }')

        assert not (self.directory / "model.pt").exists()

    def test_a_file_changed_later_is_found(self) -> None:
        self.pull()
        assert damaged(self.model_set(), self.models_dir) == []

        (self.directory / "am.mvn").write_bytes(b"<Nnat>\n")

        assert damaged(self.model_set(), self.models_dir) == [self.directory / "am.mvn"]

    def test_a_model_that_was_never_fetched_is_found(self) -> None:
        assert damaged(self.model_set(), self.models_dir) == [self.directory / MANIFEST]


class TestPinned(HubTests):
    def test_what_is_here_is_taken_elsewhere_and_nothing_else(self, tmp_path: Path) -> None:
        self.pull()
        file = tmp_path / "pinned.toml"
        file.write_text(pinned(self.model_set(), self.models_dir))
        again = read_model_set(str(file))
        assert again.sources["vad"].sha256.keys() == {"config.yaml", "model.pt", "am.mvn"}
        pull(again, tmp_path / "elsewhere", endpoint=self.hub.url)

        self.hub.files["model.pt"] = b"\x01" + FILES["model.pt"][1:]
        self.hub.announced["model.pt"] = hashlib.sha256(self.hub.files["model.pt"]).hexdigest()
        with pytest.raises(ModelError, match=r"model.pt is not the file that the model set names"):
            pull(again, tmp_path / "a third", endpoint=self.hub.url)

    def test_a_file_that_it_does_not_name_is_not_taken(self) -> None:
        right = hashlib.sha256(FILES["model.pt"]).hexdigest()
        with pytest.raises(ModelError, match=r"names hashes, but none of am.mvn, config.yaml"):
            self.pull('sha256 = { "model.pt" = "' + right + '" }')
        assert not (self.directory / MANIFEST).exists()

    def test_what_is_damaged_is_no_measure(self) -> None:
        self.pull()
        (self.directory / "am.mvn").write_bytes(b"<Nnat>\n")
        with pytest.raises(ModelError, match=r"am.mvn is missing or damaged"):
            pinned(self.model_set(), self.models_dir)


class TestFailure(HubTests):
    def test_a_hub_that_is_dead_is_named_at_once_with_what_to_do(self) -> None:
        with (
            mock.patch("time.sleep", side_effect=AssertionError("it is asked again and again")),
            pytest.raises(
                ModelError,
                match=r"the hub http://127.0.0.1:9 cannot be reached: .*MODELSCOPE_ENDPOINT to a mirror",
            ),
        ):
            pull(self.model_set(), self.models_dir, endpoint="http://127.0.0.1:9")

    def test_a_revision_that_the_hub_does_not_have_is_named(self) -> None:
        self.set_file.write_text(SET.format(more="").replace('"v2"', '"v9"'))

        with pytest.raises(ModelError, match="has no iic/vad at revision v9"):
            pull(read_model_set(str(self.set_file)), self.models_dir, endpoint=self.hub.url)

    def test_a_folder_that_cannot_be_written_is_named(self) -> None:
        self.models_dir.mkdir(exist_ok=True)
        (self.models_dir / "iic").write_text("a file where a folder should be")

        with pytest.raises(ModelError, match=r"iic/vad cannot be kept in .*/iic/vad/v2: "):
            self.pull()

    def test_a_hub_without_files_of_this_kind_is_named(self) -> None:
        self.hub.files, self.hub.announced = {"notes.txt": b"nothing else"}, {"notes.txt": ""}

        with pytest.raises(ModelError, match="iic/vad at v2 holds no model files"):
            self.pull()
