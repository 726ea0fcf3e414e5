from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from recognition.core.endpointing import EndpointingOptions
from recognition.exceptions import ModelError
from recognition.funasr.int8 import networks
from recognition.model_sets.reading import ROLES, load_models, model_set_names, read_model_set
from tests.recognition.funasr.random_models import model_path, speech_like

OWN_SET = """
title = "Our own"

[endpointing]
threshold = 0.8
end_silence_ms = 600

[vad]
title = "VAD"
path = "{vad}"
licence = "MIT"

[streaming]
title = "First pass"
path = "{streaming}"
licence = "MIT"
options = {{ chunk = 20 }}

[offline]
title = "Second pass"
path = "{offline}"
licence = "MIT"

[punctuation]
title = "Punctuation"
path = "{punctuation}"
licence = "MIT"

[speaker]
title = "Voices"
path = "{speaker}"
licence = "MIT"
"""


class TestBuiltInSet:
    def test_there_are_the_embedded_models_and_the_large_ones(self):
        assert model_set_names() == ["embedded", "paraformer-zh"]

    def test_each_names_a_model_for_each_role_with_its_licence(self):
        for name in model_set_names():
            model_set = read_model_set(name)
            assert tuple(role for role in model_set.sources if role in ROLES) == ROLES
            for source in model_set.sources.values():
                assert source.licence, source

    def test_the_large_ones_come_from_the_hub_by_id_and_revision(self):
        for source in read_model_set("paraformer-zh").sources.values():
            assert re.search(r"^iic/", source.hub)
            assert re.search(r"^v\d", source.revision)
            assert source.size > 1e6

    def test_the_large_vad_decides_at_the_threshold_of_funasr(self):
        assert read_model_set("paraformer-zh").endpointing.threshold == 0.8


class TestSetFile:
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path):
        self.folder = tmp_path
        self.file = self.folder / "own.toml"

    def write(self, text: str) -> str:
        self.file.write_text(text, encoding="utf-8")
        return str(self.file)

    def write_set(self, **directories: Path) -> str:
        names = {
            "vad": "fsmn-vad",
            "streaming": "paraformer-zh-streaming",
            "offline": "paraformer-zh-plain",
            "punctuation": "ct-punc",
            "speaker": "cam++",
        }
        paths = {role: model_path(name) for role, name in names.items()} | directories
        return self.write(OWN_SET.format(**paths))

    def assert_refused(self, text: str, message: str) -> None:
        with pytest.raises(ModelError, match=message):
            read_model_set(self.write(text))

    def test_an_operators_own_set_is_read_from_its_file(self):
        model_set = read_model_set(self.write_set())

        assert model_set.name == "own"
        assert model_set.endpointing == EndpointingOptions(threshold=0.8, end_silence_ms=600)
        assert model_set.missing(self.folder) == []

    def test_an_unknown_name_lists_the_known_ones(self):
        with pytest.raises(ModelError, match="no model set 'whisper'; known are embedded, paraformer-zh"):
            read_model_set("whisper")

    def test_a_file_that_is_not_there_is_named(self):
        with pytest.raises(ModelError, match=r"/nowhere.toml cannot be read"):
            read_model_set("/nowhere.toml")

    def test_mistakes_are_named_with_their_place(self, subtests):
        good = Path(self.write_set()).read_text()
        for bad, message in (
            ("title = ", "own.toml cannot be read"),
            (good.replace("[speaker]", "[voices]"), "has unknown keys: voices"),
            (good.split("[speaker]")[0], "lacks speaker"),
            (good.replace("threshold = 0.8", "treshold = 0.8"), "endpointing. has unknown keys: treshold"),
            (good.replace('licence = "MIT"\n', "", 1), r"\[vad\] lacks licence"),
            (good.replace('path = "', 'hub = "a/b"\npath = "', 1), r"\[vad\] takes exactly one of"),
        ):
            with subtests.test(message):
                self.assert_refused(bad, message)

    def test_a_set_from_the_hub_that_was_not_fetched_says_how_to_fetch_it(self):
        with pytest.raises(
            ModelError,
            match=r"paraformer-zh-streaming, .* fetch with: python manage.py models pull paraformer-zh",
        ):
            load_models(read_model_set("paraformer-zh"), self.folder)

    def test_a_directory_of_an_own_set_that_is_not_there_is_named(self):
        with pytest.raises(ModelError, match="there is no model directory /nowhere"):
            load_models(read_model_set(self.write_set(speaker=Path("/nowhere"))), self.folder)

    def test_the_example_in_the_documentation_is_a_set(self):
        page = Path("docs/models.md").read_text(encoding="utf-8")

        model_set = read_model_set(self.write(page.split("```toml\n")[1].split("```")[0]))

        assert model_set.sources["language_model"].options == {"weight": 0.3}
        for role in ("vad", "punctuation", "speaker"):
            shipped = read_model_set("paraformer-zh").sources[role]
            assert model_set.sources[role].hub == shipped.hub
            assert model_set.sources[role].revision == shipped.revision

    def test_a_language_model_that_is_not_there_is_named_with_its_directory(self):
        text = Path(self.write_set()).read_text()
        text += '[language_model]\ntitle = "Words"\npath = "words"\nlicence = "MIT"\n'
        (self.folder / "words").mkdir()
        with pytest.raises(ModelError, match=r"words must hold one language model, .* it has 0"):
            load_models(read_model_set(self.write(text)), self.folder)

    def test_a_language_model_of_ones_own_decides_between_what_was_heard(self, subtests):
        (self.folder / "words").mkdir()
        for compute_type in ("float32", "int8") if networks.is_supported() else ("float32",):
            with subtests.test(compute_type):
                text = Path(self.write_set()).read_text()
                [(often, _)] = Counter(self.heard(compute_type)).most_common(1)
                (self.folder / "words" / "own.arpa").write_text(
                    f"\\1-grams:\n-1\t<unk>\n-99\t{often}\n\n\\end\\\n"
                )
                self.write(f'{text}[language_model]\ntitle = "Words"\npath = "words"\nlicence = "MIT"\n')

                assert often not in self.heard(compute_type)

    def heard(self, compute_type: str) -> str:
        """What both passes of the set make of some noise."""
        models = load_models(read_model_set(str(self.file)), self.folder, compute_type=compute_type)
        audio = speech_like(0, 4 * models.streaming.chunk)
        state = models.streaming.new_state()
        partial = models.streaming.decode([(state, audio[: models.streaming.chunk])])[0]
        tokens = models.offline.recognize([audio])[0]
        assert partial and tokens
        return "".join([*partial, *(token.text for token in tokens)])

    def test_all_models_of_a_set_recognise(self):
        models = load_models(read_model_set(self.write_set()), self.folder)
        audio = speech_like(0, 4 * models.streaming.chunk)

        state = models.streaming.new_state()
        partial = models.streaming.decode([(state, audio[: models.streaming.chunk])])[0]
        tokens = models.offline.recognize([audio])[0]
        marks = models.punctuator.punctuate([[token.text for token in tokens]])[0]

        assert models.name == "own"
        assert models.streaming.chunk == 20 * 960
        assert partial
        assert len(marks) == len(tokens)
        [voices] = models.embedder.embed([(audio, [(0, len(audio))])])
        assert voices.shape == (1, models.embedder.dimension)
        assert (models.vad.detect([(models.vad.new_state(), audio[:3200])])[0] >= 0).all()


class TestLayer:
    def test_a_set_of_checksums_needs_no_models(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('title = "Checksums"\nchecksum = true\n')
            file.flush()
            models = load_models(read_model_set(file.name), Path("nowhere"))
        assert models.name == "checksum"

    def test_reading_sets_imports_neither_torch_nor_funasr(self):
        code = (
            "import sys; from recognition.model_sets.reading import read_model_set, model_set_names; "
            "[read_model_set(name) for name in model_set_names()]; "
            "print({'torch', 'funasr', 'modelscope'} & set(sys.modules))"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert result.stdout.strip() == "set()"
