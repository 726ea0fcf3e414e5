"""Sets that are based on others: one number, one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from recognition.exceptions import ModelSetError
from recognition.funasr.options import FsmnOptions, SileroOptions, StreamingOptions
from recognition.model_sets.inheritance import merged
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import model_set_names, read_model_set

from .own_set import LANGUAGE_MODEL, TEXT, without, write


def refusal(path: str) -> str:
    with pytest.raises(ModelSetError) as refused:
        read_model_set(path)
    return str(refused.value).replace(f"{Path(path).parent}/", "")


class TestOneLine:
    @pytest.mark.parametrize("name", model_set_names())
    def test_a_base_alone_gives_that_set_under_another_name(self, tmp_path: Path, name: str) -> None:
        ours, base = read_model_set(write(tmp_path, f'base = "{name}"')), read_model_set(name)
        assert ours == replace(base, name="own", file=tmp_path / "own.toml")

    @pytest.mark.parametrize("name", model_set_names())
    def test_one_number_changes_in_one_line(self, tmp_path: Path, name: str) -> None:
        ours = read_model_set(write(tmp_path, f'base = "{name}"\nendpointing.end_silence_ms = 500'))
        base = read_model_set(name)
        assert ours.sources == base.sources
        assert ours.endpointing == replace(base.endpointing, end_silence_ms=500)

    def test_one_option_changes_in_one_line(self, tmp_path: Path) -> None:
        ours = read_model_set(write(tmp_path, 'base = "paraformer-zh"\nstreaming.options.chunk = 5'))
        assert ours.sources["streaming"].options == StreamingOptions(
            chunk=5, look_ahead=5, encoder_look_back=4, decoder_look_back=1
        )
        assert ours.sources["streaming"].hub == read_model_set("paraformer-zh").sources["streaming"].hub

    def test_title_and_description_may_be_ones_own(self, tmp_path: Path) -> None:
        ours = read_model_set(write(tmp_path, 'base = "embedded"\ntitle = "Quick"\ndescription = "Ours"'))
        assert (ours.title, ours.description) == ("Quick", "Ours")

    def test_the_embedded_set_loads_under_it_with_its_files(self, tmp_path: Path) -> None:
        ours = read_model_set(write(tmp_path, 'base = "embedded"\nlanguage_model.options.weight = 0.1'))
        models = load_models(ours, tmp_path)
        assert models.name == "own"
        assert models.streaming
        assert models.embedder
        # As if it were computed by the embedded set itself: voiceprints go on being compared.
        assert models.embedder.model_id.startswith("speaker@")


class TestOwnBases:
    def test_a_path_is_relative_to_the_file_that_names_the_base(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        write(tmp_path / "a", TEXT, "base")
        ours = read_model_set(write(tmp_path / "b", 'base = "../a/base.toml"\ntitle = "Ours"'))
        assert ours.title == "Ours"

    def test_paths_of_models_are_relative_to_the_file_that_names_them(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        write(tmp_path / "a", TEXT, "base")
        ours = read_model_set(write(tmp_path, 'base = "a/base.toml"\noffline.path = "ours"'))
        assert ours.sources["vad"].directory(tmp_path) == tmp_path / "a" / "VAD"
        assert ours.sources["offline"].directory(tmp_path) == tmp_path / "ours"

    def test_an_absolute_path_stays(self, tmp_path: Path) -> None:
        base = write(tmp_path, TEXT, "base")
        ours = read_model_set(write(tmp_path, f'base = "{base}"\noffline.path = "/models/ours"'))
        assert ours.sources["offline"].directory(tmp_path) == Path("/models/ours")

    def test_a_base_may_have_a_base(self, tmp_path: Path) -> None:
        write(tmp_path, 'base = "paraformer-zh"\nendpointing.end_silence_ms = 500', "first")
        write(tmp_path, 'base = "first.toml"\nendpointing.pre_roll_ms = 300', "second")
        ours = read_model_set(write(tmp_path, 'base = "second.toml"\nendpointing.post_roll_ms = 200'))
        endpointing = ours.endpointing
        assert endpointing.threshold == 0.8
        assert endpointing.end_silence_ms == 500
        assert (endpointing.pre_roll_ms, endpointing.post_roll_ms) == (300, 200)

    def test_the_nearest_word_counts(self, tmp_path: Path) -> None:
        write(tmp_path, 'base = "embedded"\nendpointing.end_silence_ms = 500\ntitle = "First"', "first")
        ours = read_model_set(write(tmp_path, 'base = "first.toml"\nendpointing.end_silence_ms = 700'))
        assert (ours.title, ours.endpointing.end_silence_ms) == ("First", 700)

    def test_a_script_may_be_a_base(self, tmp_path: Path) -> None:
        write(tmp_path, 'title = "Script"\n[[script]]\ntext = "好的。"\n', "script")
        ours = read_model_set(write(tmp_path, 'base = "script.toml"\nendpointing.end_silence_ms = 500'))
        assert ours.fake
        assert ours.endpointing.end_silence_ms == 500


class TestRoles:
    def test_a_role_of_the_base_may_be_left_out(self, tmp_path: Path) -> None:
        ours = read_model_set(write(tmp_path, 'base = "embedded"\nstreaming = false\nspeaker = false'))
        assert list(ours.sources) == ["vad", "offline", "language_model", "punctuation"]

    def test_it_may_come_back_further_up(self, tmp_path: Path) -> None:
        write(tmp_path, 'base = "embedded"\npunctuation = false', "plain")
        table = TEXT[TEXT.index("[punctuation]") : TEXT.index("[speaker]")]
        ours = read_model_set(write(tmp_path, f'base = "plain.toml"\n{table}'))
        assert ours.sources["punctuation"].title == "Punctuation"

    def test_a_role_may_come_on_top(self, tmp_path: Path) -> None:
        ours = read_model_set(write(tmp_path, 'base = "paraformer-zh"\n' + LANGUAGE_MODEL))
        assert ours.sources["language_model"].directory(tmp_path) == tmp_path / "words"

    def test_a_role_that_all_sets_need_cannot_be_left_out(self, tmp_path: Path) -> None:
        assert refusal(write(tmp_path, 'base = "embedded"\nvad = false')) == "own.toml: [vad] is missing"


class TestOtherFiles:
    """What holds only for the files of the base is not taken over for others."""

    def hub_set(self, folder: Path) -> str:
        pinned = 'hub = "iic/vad"\nrevision = "v2"\nsize = 9\nsha256 = { "model.pt" = "ab" }'
        text = TEXT.replace('path = "VAD"', f"{pinned}\noptions = {{ frames = 30 }}")
        return write(folder, text, "base")

    def test_another_directory_takes_the_place_of_the_hub(self, tmp_path: Path) -> None:
        self.hub_set(tmp_path)
        source = read_model_set(write(tmp_path, 'base = "base.toml"\nvad.path = "ours"')).sources["vad"]
        assert source.directory(tmp_path) == tmp_path / "ours"
        assert (source.hub, source.revision, source.size, source.sha256) == ("", "master", 0, {})
        assert (source.title, source.licence) == ("VAD", "MIT")
        assert source.options == FsmnOptions(frames=30)

    def test_another_revision_has_other_hashes(self, tmp_path: Path) -> None:
        self.hub_set(tmp_path)
        source = read_model_set(write(tmp_path, 'base = "base.toml"\nvad.revision = "v3"')).sources["vad"]
        assert (source.hub, source.revision, source.size, source.sha256) == ("iic/vad", "v3", 0, {})

    def test_the_same_revision_keeps_them(self, tmp_path: Path) -> None:
        self.hub_set(tmp_path)
        source = read_model_set(write(tmp_path, 'base = "base.toml"\nvad.revision = "v2"')).sources["vad"]
        assert (source.size, source.sha256) == (9, {"model.pt": "ab"})

    def test_another_kind_takes_no_options_from_the_base(self, tmp_path: Path) -> None:
        self.hub_set(tmp_path)
        ours = 'base = "base.toml"\nvad.package = "silero-vad"'
        assert read_model_set(write(tmp_path, ours)).sources["vad"].options == SileroOptions()
        ours = 'base = "base.toml"\nvad = { package = "silero-vad", options = { frames = 4 } }'
        assert read_model_set(write(tmp_path, ours)).sources["vad"].options == SileroOptions(frames=4)

    def test_the_same_kind_in_so_many_words_keeps_them(self, tmp_path: Path) -> None:
        self.hub_set(tmp_path)
        ours = write(tmp_path, 'base = "base.toml"\nvad.kind = "fsmn"')
        assert read_model_set(ours).sources["vad"].options == FsmnOptions(frames=30)

    def test_the_base_itself_stays_as_it_is(self) -> None:
        base = {"title": "Base", "vad": {"path": "a", "options": {"frames": 3}}, "endpointing": {"a": 1}}
        own = {"vad": {"options": {"frames": 4}}, "endpointing": {"a": 2}}
        assert merged(base, own)["vad"] == {"path": "a", "options": {"frames": 4}}
        assert base["vad"] == {"path": "a", "options": {"frames": 3}}
        assert base["endpointing"] == {"a": 1}


class TestMistakes:
    def test_a_base_that_is_not_there(self, tmp_path: Path) -> None:
        message = refusal(write(tmp_path, 'base = "whisper"'))
        assert message.startswith("own.toml: base: there is no model set 'whisper'; known are embedded,")

    def test_a_base_whose_file_is_not_there(self, tmp_path: Path) -> None:
        message = refusal(write(tmp_path, 'base = "nowhere.toml"'))
        assert message.startswith("the model set nowhere.toml cannot be read: ")

    @pytest.mark.parametrize("value", ["3", "true", '["embedded"]'])
    def test_a_base_that_is_no_name(self, tmp_path: Path, value: str) -> None:
        message = refusal(write(tmp_path, f"base = {value}"))
        assert message.startswith(f"own.toml: base = {value} is refused; it takes the name of a model set or")

    def test_a_set_based_on_itself(self, tmp_path: Path) -> None:
        message = refusal(write(tmp_path, 'base = "own.toml"'))
        assert message == "own.toml: base goes round in a circle: own.toml -> own.toml"

    def test_a_circle_of_three(self, tmp_path: Path) -> None:
        write(tmp_path, 'base = "second.toml"', "first")
        write(tmp_path, 'base = "own.toml"', "second")
        message = refusal(write(tmp_path, 'base = "first.toml"'))
        assert message.endswith("goes round in a circle: own.toml -> first.toml -> second.toml -> own.toml")

    def test_a_circle_under_another_name_for_the_same_file(self, tmp_path: Path) -> None:
        message = refusal(write(tmp_path, 'base = "./../' + tmp_path.name + '/own.toml"'))
        assert "base goes round in a circle" in message

    def test_what_is_wrong_in_the_base_is_told_of_the_base(self, tmp_path: Path) -> None:
        write(tmp_path, TEXT.replace("chunk = 20", "chunck = 20"), "base")
        message = refusal(write(tmp_path, 'base = "base.toml"\nvad.title = "Ours"'))
        assert message.startswith("base.toml: [streaming.options]: there is no key chunck")

    def test_and_even_if_the_set_would_mend_it(self, tmp_path: Path) -> None:
        write(tmp_path, without(TEXT, "vad"), "base")
        message = refusal(
            write(tmp_path, 'base = "base.toml"\n[vad]\ntitle = "a"\nlicence = "b"\npath = "c"')
        )
        assert message == "base.toml: [vad] is missing"

    def test_what_is_wrong_in_the_set_is_told_of_the_set(self, tmp_path: Path) -> None:
        for ours, message in (
            ("endpointing.end_silence_ms = -5", "[endpointing]: end_silence_ms = -5 is refused"),
            ("streaming.options.chunck = 3", "[streaming.options]: there is no key chunck, which is 3 here"),
            ('vad.titel = "a"', "[vad]: there is no key titel"),
            ("vad.options = 3", "[vad.options]: this is not a table but 3"),
            ('voices.title = "a"', "there is no key voices"),
            ("endpointing = 3", "[endpointing]: this is not a table but 3"),
            ("vad = 3", "[vad]: this is not a table"),
            (
                "endpointing.long_end_silence_ms = 900",
                "[endpointing]: long_end_silence_ms = 900 is refused; with",
            ),
            ('offline.kind = "wav2vec"', '[offline]: kind = "wav2vec" is refused'),
        ):
            assert message in refusal(write(tmp_path, f'base = "embedded"\n{ours}')), ours
            assert refusal(write(tmp_path, f'base = "embedded"\n{ours}')).startswith("own.toml: ")

    def test_a_script_and_models_do_not_mix(self, tmp_path: Path) -> None:
        message = refusal(write(tmp_path, 'base = "embedded"\nchecksum = true'))
        assert message.startswith("own.toml: there is no key vad, which is")
