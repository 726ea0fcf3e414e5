"""Model sets as their files have them: what is read, and how mistakes are told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from recognition.core.endpointing import EndpointingOptions
from recognition.exceptions import ModelSetError
from recognition.funasr.options import (
    CtTransformerOptions,
    FsmnOptions,
    ParaformerOptions,
    SileroOptions,
    SpeakerOptions,
    StreamingOptions,
)
from recognition.model_sets.arpa import ArpaOptions
from recognition.model_sets.kinds import REQUIRED_ROLES, ROLES
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import ModelSet, model_set_names, read_model_set

from .own_set import LANGUAGE_MODEL, TEXT, without, write

OPTIONAL_ROLES = [role for role in ROLES if role not in REQUIRED_ROLES]


def read(folder: Path, text: str) -> ModelSet:
    return read_model_set(write(folder, text))


def refusal(folder: Path, text: str) -> str:
    """What is said of a set's file, without the folder in front."""
    with pytest.raises(ModelSetError) as refused:
        read(folder, text)
    return str(refused.value).replace(f"{folder}/", "")


class TestFinalsOnly:
    def test_without_partials_there_is_no_first_pass(self, tmp_path: Path) -> None:
        assert "streaming" in read(tmp_path, TEXT).sources
        made = read(tmp_path, f"partials = false\n{TEXT}")
        assert not made.partials
        assert "streaming" not in made.sources

    def test_a_set_may_have_the_partials_that_its_base_leaves_out(self, tmp_path: Path) -> None:
        (tmp_path / "base.toml").write_text(f"partials = false\n{TEXT}")
        assert not read(tmp_path, 'base = "base.toml"').partials
        assert "streaming" in read(tmp_path, 'base = "base.toml"\npartials = true').sources

    def test_it_is_said_with_true_or_false(self, tmp_path: Path) -> None:
        assert "partials = 0 is refused; it takes true or false" in refusal(tmp_path, f"partials = 0\n{TEXT}")

    def test_a_script_may_be_without_partials(self, tmp_path: Path) -> None:
        made = read(tmp_path, 'title = "x"\npartials = false\n[[script]]\ntext = "好"')
        assert not load_models(made, tmp_path).partials


class TestBuiltInSets:
    def test_there_are_the_embedded_models_those_for_people_and_the_large_ones(self) -> None:
        assert model_set_names() == ["embedded", "fun-asr-nano", "paraformer-zh", "people", "sensevoice"]

    def test_one_of_several_languages_writes_marks_itself_and_only_finals(self) -> None:
        ours = read_model_set("sensevoice")
        large = read_model_set("paraformer-zh").sources
        assert set(ours.sources) == {"vad", "offline", "speaker"}
        assert {role: ours.sources[role] for role in ("vad", "speaker")} == {
            role: large[role] for role in ("vad", "speaker")
        }
        assert ours.sources["offline"].hub == "iic/SenseVoiceSmall"
        assert ours.sources["offline"].size > 9e8
        assert ours.reference == "sensevoice"

    def test_one_with_a_language_model_knows_three_languages_and_only_finals(self) -> None:
        ours = read_model_set("fun-asr-nano")

        assert set(ours.sources) == {"vad", "offline", "speaker"}
        assert ours.sources["offline"].hub == "FunAudioLLM/Fun-ASR-Nano-2512"
        assert ours.sources["offline"].options.spoken() == ("zh", "en", "ja")

    @pytest.mark.parametrize("name", model_set_names())
    def test_each_names_a_model_for_each_role_with_its_licence(self, name: str) -> None:
        sources = read_model_set(name).sources
        left_out = set(ROLES) - set(sources)
        assert left_out <= {"language_model", "punctuation", "segmentation", "streaming"}
        assert all(source.licence for source in sources.values())

    def test_the_large_ones_come_from_the_hub_by_id_and_revision(self) -> None:
        for source in read_model_set("paraformer-zh").sources.values():
            assert re.match(r"^iic/", source.hub)
            assert re.match(r"^v\d", source.revision)
            assert source.size > 1e6

    def test_those_for_people_have_their_files_by_content_from_more_than_one_place(self) -> None:
        sources = read_model_set("people").sources
        for role in ("offline", "speaker", "segmentation"):
            files = [file for file in sources[role].files.values() if not file.is_optional]
            assert files
            assert all(len(file.places) == 2 for file in files)
            assert any("LICENSE" in name for name in sources[role].files)

    def test_only_those_for_people_tell_who_speaks_at_once(self) -> None:
        with_one = [name for name in model_set_names() if "segmentation" in read_model_set(name).sources]
        assert with_one == ["people"]

    def test_no_model_keeps_another_ones_weights(self) -> None:
        sources = read_model_set("people").sources
        weights = [
            file.sha256
            for source in sources.values()
            for file in source.files.values()
            if not file.is_optional
        ]
        assert len(weights) == len(set(weights))

    def test_the_large_vad_decides_at_the_threshold_of_funasr(self) -> None:
        assert read_model_set("paraformer-zh").endpointing.threshold == 0.8

    def test_the_embedded_ones_lie_beside_their_file_and_in_a_package(self, tmp_path: Path) -> None:
        model_set = read_model_set("embedded")
        assert model_set.missing(tmp_path) == []
        assert model_set.sources["vad"].directory(tmp_path) is None
        for role in ("streaming", "offline", "language_model", "punctuation", "speaker"):
            directory = model_set.sources[role].directory(tmp_path)
            assert directory
            assert directory.is_dir()
            assert directory.is_absolute()

    def test_an_unknown_name_lists_the_known_ones(self) -> None:
        with pytest.raises(
            ModelSetError,
            match="no model set 'whisper'; known are embedded, fun-asr-nano, paraformer-zh, people, ",
        ):
            read_model_set("whisper")


class TestAnOperatorsOwnSet:
    def test_it_is_read_from_its_file(self, tmp_path: Path) -> None:
        model_set = read(tmp_path, TEXT)
        assert model_set.name == "own"
        assert model_set.title == "Our own"
        assert model_set.description == ""
        assert model_set.endpointing == EndpointingOptions(threshold=0.8, end_silence_ms=600)
        assert list(model_set.sources) == ["vad", "streaming", "offline", "punctuation", "speaker"]

    def test_each_role_has_its_usual_kind_where_none_is_named(self, tmp_path: Path) -> None:
        sources = read(tmp_path, TEXT + LANGUAGE_MODEL).sources
        assert {role: type(source.options) for role, source in sources.items()} == {
            "vad": FsmnOptions,
            "streaming": StreamingOptions,
            "offline": ParaformerOptions,
            "language_model": ArpaOptions,
            "punctuation": CtTransformerOptions,
            "speaker": SpeakerOptions,
        }

    def test_options_are_those_of_the_kind(self, tmp_path: Path) -> None:
        options = read(tmp_path, TEXT).sources["streaming"].options
        assert options == StreamingOptions(chunk=20)

    def test_a_detector_from_its_package_is_of_that_packages_kind(self, tmp_path: Path) -> None:
        text = TEXT.replace('path = "VAD"', 'package = "silero-vad"\noptions = { frames = 4 }')
        assert read(tmp_path, text).sources["vad"].options == SileroOptions(frames=4)

    def test_a_kind_may_be_named(self, tmp_path: Path) -> None:
        text = TEXT.replace('path = "OFFLINE"', 'path = "OFFLINE"\nkind = "paraformer"')
        source = read(tmp_path, text).sources["offline"]
        assert (source.kind, source.options) == ("paraformer", ParaformerOptions())

    def test_a_relative_path_is_that_from_the_file(self, tmp_path: Path) -> None:
        directory = read(tmp_path, TEXT).sources["speaker"].directory(Path("models"))
        assert directory == tmp_path / "SPEAKER"

    def test_a_relative_path_of_the_file_itself_gives_absolute_directories(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, TEXT)
        monkeypatch.chdir(tmp_path)
        directory = read_model_set("own.toml").sources["vad"].directory(Path("models"))
        monkeypatch.chdir("/")
        assert directory == tmp_path / "VAD"

    def test_a_model_from_the_hub_lies_under_its_id_and_revision(self, tmp_path: Path) -> None:
        text = TEXT.replace('path = "SPEAKER"', 'hub = "iic/voices"\nrevision = "v2"')
        directory = read(tmp_path, text).sources["speaker"].directory(Path("/models"))
        assert directory == Path("/models/iic/voices/v2")

    def test_models_whose_files_are_not_there_are_missing(self, tmp_path: Path) -> None:
        missing = read(tmp_path, TEXT).missing(tmp_path)
        assert [source.role for source in missing] == [
            "vad",
            "streaming",
            "offline",
            "punctuation",
            "speaker",
        ]

    def test_a_directory_with_a_configuration_and_weights_is_complete(self, tmp_path: Path) -> None:
        folder = tmp_path / "SPEAKER"
        folder.mkdir()
        source = read(tmp_path, TEXT).sources["speaker"]
        assert source.is_missing(tmp_path)
        (folder / "config.yaml").write_text("model: CAMPPlus")
        assert source.is_missing(tmp_path)
        (folder / "model.pt").write_bytes(b"")
        assert not source.is_missing(tmp_path)

    def test_a_directory_that_names_weights_elsewhere_is_complete(self, tmp_path: Path) -> None:
        folder = tmp_path / "OFFLINE"
        folder.mkdir()
        (folder / "config.yaml").write_text("model: Paraformer")
        (folder / "configuration.json").write_text("{}")
        assert not read(tmp_path, TEXT).sources["offline"].is_missing(tmp_path)

    def test_a_language_model_is_there_when_its_file_is(self, tmp_path: Path) -> None:
        (tmp_path / "words").mkdir()
        source = read(tmp_path, TEXT + LANGUAGE_MODEL).sources["language_model"]
        assert source.is_missing(tmp_path)
        (tmp_path / "words" / "own.arpa.gz").write_bytes(b"")
        assert not source.is_missing(tmp_path)

    @pytest.mark.parametrize("role", OPTIONAL_ROLES)
    def test_a_role_that_is_not_required_may_be_left_out(self, tmp_path: Path, role: str) -> None:
        assert role not in read(tmp_path, without(TEXT, role)).sources

    @pytest.mark.parametrize("role", OPTIONAL_ROLES)
    def test_it_may_be_left_out_in_so_many_words(self, tmp_path: Path, role: str) -> None:
        text = f"{role} = false\n" + without(TEXT, role)
        assert role not in read(tmp_path, text).sources

    @pytest.mark.parametrize("role", REQUIRED_ROLES)
    def test_a_role_that_every_set_needs_is_named_when_it_is_missing(self, tmp_path: Path, role: str) -> None:
        assert refusal(tmp_path, without(TEXT, role)) == f"own.toml: [{role}] is missing"

    @pytest.mark.parametrize("role", REQUIRED_ROLES)
    def test_it_cannot_be_left_out_in_so_many_words_either(self, tmp_path: Path, role: str) -> None:
        assert (
            refusal(tmp_path, f"{role} = false\n" + without(TEXT, role)) == f"own.toml: [{role}] is missing"
        )


class TestMistakes:
    """Each is told with file, table, key, value and what is allowed."""

    def test_a_file_that_is_not_there(self) -> None:
        with pytest.raises(
            ModelSetError, match=r"the model set /nowhere.toml cannot be read: .*No such file"
        ):
            read_model_set("/nowhere.toml")

    def test_a_file_that_is_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "own.toml").mkdir()
        with pytest.raises(ModelSetError, match=r"own.toml cannot be read: .*Is a directory"):
            read_model_set(str(tmp_path / "own.toml"))

    def test_a_file_that_is_no_toml(self, tmp_path: Path) -> None:
        assert refusal(tmp_path, "title = ").startswith(
            "the model set own.toml cannot be read: Invalid value"
        )

    def test_a_file_in_another_encoding(self, tmp_path: Path) -> None:
        (tmp_path / "own.toml").write_bytes('title = "我们的"'.encode("gb18030"))
        with pytest.raises(ModelSetError, match=r"own.toml cannot be read: 'utf-8' codec"):
            read_model_set(str(tmp_path / "own.toml"))

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("[speaker]", "[voices]", "own.toml: there is no key voices, which is"),
            ('title = "Our own"', "", "own.toml: title is missing"),
            ('title = "Our own"', "title = 3", "own.toml: title = 3 is refused; it takes a text in quotes"),
            (
                'title = "Our own"',
                'title = "a"\ntitel = "b"',
                'there is no key titel, which is "b" here (did you',
            ),
            ('licence = "MIT"\n\n[streaming]', "\n[streaming]", "own.toml: [vad]: licence is missing"),
            ('title = "VAD"', "", "own.toml: [vad]: title is missing"),
            ('title = "VAD"', "title = true", "own.toml: [vad]: title = true is refused; it takes a text in"),
            ('path = "VAD"', "path = 3", "own.toml: [vad]: path = 3 is refused; it takes a text in quotes"),
            (
                'path = "VAD"',
                'hub = "a/b"\nsize = -1',
                "[vad]: size = -1 is refused; it takes a whole number, 0",
            ),
            (
                'path = "VAD"',
                'hub = "a/b"\nsha256 = "ab"',
                '[vad]: sha256 = "ab" is refused; it takes a table',
            ),
            (
                'path = "VAD"',
                'paht = "VAD"',
                'there is no key paht, which is "VAD" here (did you mean path?)',
            ),
            (
                'path = "VAD"',
                'hub = "a/b"\npath = "c"',
                "[vad]: kind fsmn takes exactly one of path, hub and files",
            ),
            ('path = "VAD"', "", "own.toml: [vad]: kind fsmn takes exactly one of path, hub and files"),
            (
                'path = "VAD"',
                'package = "webrtcvad"',
                "[vad]: kind fsmn takes exactly one of path, hub and files",
            ),
            ('path = "VAD"', "package = [1]", "[vad]: package = [1] is refused; it takes a text in quotes"),
            (
                'path = "VAD"',
                'package = "silero-vad"\npath = "a"',
                '[vad]: kind silero comes with a package, and takes package = "silero-vad" alone',
            ),
            (
                'path = "VAD"',
                'path = "VAD"\nkind = "silero"',
                '[vad]: kind silero comes with a package, and takes package = "silero-vad" alone',
            ),
            (
                'path = "OFFLINE"',
                'package = "whisper"',
                "own.toml: [offline]: kind paraformer takes exactly one of path, hub and files",
            ),
            (
                'path = "OFFLINE"',
                'path = "OFFLINE"\nkind = "wav2vec"',
                'own.toml: [offline]: kind = "wav2vec" is refused; it takes "paraformer", "sensevoice", ',
            ),
            (
                'path = "OFFLINE"',
                'path = "OFFLINE"\nkind = 3',
                '[offline]: kind = "3" is refused; it takes "par',
            ),
        ],
    )
    def test_in_the_tables_of_the_models(self, tmp_path: Path, old: str, new: str, message: str) -> None:
        assert old in TEXT
        assert message in refusal(tmp_path, TEXT.replace(old, new, 1))

    @pytest.mark.parametrize(
        ("role", "options", "message"),
        [
            ("vad", "nope = 1", "there is no key nope, which is 1 here; it takes frames"),
            ("vad", "frames = 0", "frames = 0 is refused; it takes a whole number from 3 to 100"),
            ("vad", 'frames = "20"', 'frames = "20" is refused; it takes a whole number from 3 to 100'),
            (
                "streaming",
                "chunck = 3",
                "there is no key chunck, which is 3 here (did you mean chunk?); it takes",
            ),
            ("streaming", "chunk = 0", "chunk = 0 is refused; it takes a whole number from 1 to 100"),
            (
                "streaming",
                "look_ahead = -1",
                "look_ahead = -1 is refused; it takes a whole number from 0 to 100",
            ),
            ("offline", "beam = 5", "there is no key beam, which is 5 here; it takes hotwords"),
            ("punctuation", "tyop = 1", "there is no key tyop, which is 1 here; it takes none"),
            ("speaker", "threshold = 9", "there is no key threshold, which is 9 here; it takes turn_penalty"),
            (
                "language_model",
                "wieght = 1",
                "there is no key wieght, which is 1 here (did you mean weight?)",
            ),
            ("language_model", "weight = -1", "weight = -1 is refused; it takes a number from 0 to 10"),
        ],
    )
    def test_in_the_options_of_every_role(
        self, tmp_path: Path, role: str, options: str, message: str
    ) -> None:
        """Faults 1 and 2: they left the server up and silent, or were thrown away."""
        text = (TEXT + LANGUAGE_MODEL).replace("options = { chunk = 20 }\n", "")
        text = text.replace(f"[{role}]", f"[{role}]\noptions = {{ {options} }}")
        assert refusal(tmp_path, text).startswith(f"own.toml: [{role}.options]: {message}")

    def test_options_that_are_no_table(self, tmp_path: Path) -> None:
        text = TEXT.replace("options = { chunk = 20 }", "options = 20")
        assert refusal(tmp_path, text) == "own.toml: [streaming.options]: this is not a table but 20"

    @pytest.mark.parametrize("value", ["true", "3", '"silero"', "[1]"])
    def test_a_role_that_is_no_table(self, tmp_path: Path, value: str) -> None:
        text = f"speaker = {value}\n" + without(TEXT, "speaker")
        assert refusal(tmp_path, text) == "own.toml: [speaker]: this is not a table"

    def test_a_language_model_that_no_recogniser_uses(self, tmp_path: Path) -> None:
        kind = "tests.recognition.model_sets.tone_family.ToneOffline"
        text = without(TEXT, "streaming").replace('path = "OFFLINE"', f'path = "OFFLINE"\nkind = "{kind}"')
        assert refusal(tmp_path, text + LANGUAGE_MODEL) == (
            "own.toml: [language_model]: no recogniser of the set makes use of it; leave it out"
        )


class TestEndpointing:
    """Fault 3: values were not checked."""

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (
                "end_silence_ms = -5",
                "end_silence_ms = -5 is refused; it takes a whole number from 50 to 10000",
            ),
            (
                'end_silence_ms = "600"',
                'end_silence_ms = "600" is refused; it takes a whole number from 50 to',
            ),
            (
                "end_silence_ms = 600.5",
                "end_silence_ms = 600.5 is refused; it takes a whole number from 50 to",
            ),
            (
                "end_silence_ms = 60000",
                "end_silence_ms = 60000 is refused; it takes a whole number from 50 to",
            ),
            ("threshold = 7", "threshold = 7 is refused; it takes a number from 0 to 1"),
            ("threshold = true", "threshold = true is refused; it takes a number from 0 to 1"),
            ("treshold = 0.8", "there is no key treshold, which is 0.8 here (did you mean threshold?)"),
            ("window_ms = 0", "window_ms = 0 is refused; it takes a whole number from 40 to 2000"),
            ("speech_ms = 0", "speech_ms = 0 is refused; it takes a whole number from 40 to 2000"),
            ("pre_roll_ms = -1", "pre_roll_ms = -1 is refused; it takes a whole number from 0 to 5000"),
            (
                "longest_utterance_ms = 0",
                "longest_utterance_ms = 0 is refused; it takes a whole number from 1000",
            ),
            ("cut_search_ms = 0", "cut_search_ms = 0 is refused; it takes a whole number from 100 to 60000"),
            ("speech_ms = 300", "speech_ms = 300 is refused; with this window_ms it takes 200 or less"),
            (
                "long_end_silence_ms = 900",
                "long_end_silence_ms = 900 is refused; with this end_silence_ms it takes 800 or less",
            ),
            (
                "end_silence_ms = 2000\nlongest_utterance_ms = 1500",
                "end_silence_ms = 2000 is refused; with this longest_utterance_ms it takes 1500 or less",
            ),
        ],
    )
    def test_mistakes(self, tmp_path: Path, line: str, message: str) -> None:
        text = TEXT.replace("threshold = 0.8\nend_silence_ms = 600", line)
        assert refusal(tmp_path, text).startswith(f"own.toml: [endpointing]: {message}")

    def test_one_line_changes_the_silence_that_ends_a_line_long_or_short(self, tmp_path: Path) -> None:
        endpointing = read(tmp_path, TEXT.replace("threshold = 0.8\n", "")).endpointing
        assert endpointing.end_silence_ms == 600
        assert endpointing.long_silence_ms == 300

    def test_all_of_it_may_be_left_out(self, tmp_path: Path) -> None:
        assert read(tmp_path, without(TEXT, "endpointing")).endpointing == EndpointingOptions()

    def test_a_number_in_its_place_is_refused(self, tmp_path: Path) -> None:
        text = "endpointing = 600\n" + without(TEXT, "endpointing")
        assert refusal(tmp_path, text) == "own.toml: [endpointing]: this is not a table but 600"


class TestSetsThatNeedNoModels:
    SCRIPT = 'title = "A meeting"\n\n[[script]]\ntext = "好的。"\nvoice = 1\nseconds = 0.8\n'

    def test_a_script_says_its_lines(self, tmp_path: Path) -> None:
        model_set = read(tmp_path, self.SCRIPT)
        assert model_set.fake
        assert model_set.fake().name == "scripted"
        assert model_set.sources == {}
        assert model_set.missing(tmp_path) == []

    def test_each_use_of_a_script_has_models_of_its_own(self, tmp_path: Path) -> None:
        fake = read(tmp_path, self.SCRIPT).fake
        assert fake
        assert fake().streaming is not fake().streaming

    def test_checksums(self, tmp_path: Path) -> None:
        fake = read(tmp_path, 'title = "Checksums"\nchecksum = true\n').fake
        assert fake
        assert fake().name == "checksum"

    def test_they_may_say_where_utterances_end(self, tmp_path: Path) -> None:
        text = self.SCRIPT.replace("[[script]]", "[endpointing]\nend_silence_ms = 500\n\n[[script]]")
        assert read(tmp_path, text).endpointing.end_silence_ms == 500

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("checksum = false", "own.toml: checksum = false is refused; it takes true"),
            ("checksum = 1", "own.toml: checksum = 1 is refused; it takes true"),
            ("script = []", "own.toml: script takes 1 to 85 tables [[script]] with text, voice and seconds"),
            ('script = "好的"', "own.toml: script takes 1 to 85 tables [[script]] with text, voice and"),
            ("[[script]]\nvoice = 1", "own.toml: [script]: text is missing"),
            (
                '[[script]]\ntext = "好"\nvoice = 16',
                "[script]: voice = 16 is refused; it takes a whole number",
            ),
            (
                '[[script]]\ntext = "好"\nvoices = 1',
                "there is no key voices, which is 1 here (did you mean voice?",
            ),
            (
                '[[script]]\ntext = "好"\nseconds = 0',
                "[script]: seconds = 0 is refused; it takes a number from",
            ),
            ('[[script]]\ntext = ""', 'own.toml: [script]: text = "" is refused; a line begins with a char'),
            (
                '[[script]]\ntext = "。好"',
                '[script]: text = "。好" is refused; a line begins with a character',
            ),
            ("script = [1]", "own.toml: [script]: this is not a table but 1"),
            ("[[script]]\ntext = 3", "own.toml: [script]: text = 3 is refused; it takes a text in quotes"),
        ],
    )
    def test_mistakes(self, tmp_path: Path, text: str, message: str) -> None:
        assert message in refusal(tmp_path, f'title = "Ours"\n{text}\n')

    def test_a_script_with_more_lines_than_there_are_tones(self, tmp_path: Path) -> None:
        text = 'title = "Ours"\n' + '[[script]]\ntext = "好"\n' * 86
        assert "script takes 1 to 85 tables" in refusal(tmp_path, text)

    def test_models_beside_a_script_are_refused(self, tmp_path: Path) -> None:
        text = self.SCRIPT + TEXT[TEXT.index("[vad]") : TEXT.index("[streaming]")]
        assert refusal(tmp_path, text).startswith("own.toml: there is no key vad, which is")

    def test_a_script_beside_checksums_is_refused(self, tmp_path: Path) -> None:
        text = self.SCRIPT.replace("\n\n", "\nchecksum = true\n", 1)
        assert refusal(tmp_path, text).startswith("own.toml: there is no key checksum, which is true here")


class TestDocumentation:
    def test_the_example_is_a_set(self, tmp_path: Path) -> None:
        page = Path("docs/models.md").read_text(encoding="utf-8")
        model_set = read(tmp_path, page.split("```toml\n")[1].split("```")[0])
        assert model_set.sources["language_model"].options == ArpaOptions(weight=0.3)
        for role in ("vad", "punctuation", "speaker"):
            shipped = read_model_set("paraformer-zh").sources[role]
            own = model_set.sources[role]
            assert (own.hub, own.revision, own.kind) == (shipped.hub, shipped.revision, shipped.kind)


class TestLayers:
    def test_reading_sets_imports_neither_torch_nor_funasr(self) -> None:
        code = (
            "import sys; from recognition.model_sets.reading import read_model_set, model_set_names; "
            "[read_model_set(name) for name in model_set_names()]; "
            "print({'torch', 'funasr', 'modelscope', 'numba'} & set(sys.modules))"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "set()"
