"""Options of Whisper's passes: their ranges, their files, and what stops a start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recognition.exceptions import ModelError, ModelSetError
from recognition.fakes.scripted import Script, ScriptedOffline
from recognition.model_options import LoadContext
from recognition.model_sets.kinds import find_kind
from recognition.tables import Place, read_table
from recognition.whisper.options import FILES, WhisperOptions, WhisperStreamingOptions

PLACE = Place("set.toml", "offline.options")


class TestRange:
    @pytest.mark.parametrize(
        ("kind", "table"),
        [
            (WhisperOptions, {"beam": 0}),
            (WhisperOptions, {"beam": 11}),
            (WhisperOptions, {"repetition_penalty": 0.9}),
            (WhisperOptions, {"repetition_penalty": 2.1}),
            (WhisperOptions, {"languages": []}),
            (WhisperOptions, {"languages": "zh"}),
            (WhisperOptions, {"prompt": "以下"}),
            (WhisperStreamingOptions, {"step_s": 0.2}),
            (WhisperStreamingOptions, {"step_s": 5.1}),
            (WhisperStreamingOptions, {"beam": 0}),
        ],
    )
    def test_a_value_out_of_range_is_refused(self, kind: Any, table: dict[str, Any]) -> None:
        with pytest.raises(ModelSetError, match=next(iter(table))):
            read_table(kind, table, PLACE)

    def test_by_default_chinese_and_english_are_spoken(self) -> None:
        assert read_table(WhisperOptions, {}, PLACE).languages == ("zh", "en")

    def test_the_table_of_kinds_knows_them(self) -> None:
        assert find_kind("offline", "whisper", PLACE) is WhisperOptions
        assert find_kind("streaming", "whisper-streaming", PLACE) is WhisperStreamingOptions


class TestFiles:
    @pytest.mark.parametrize("missing", FILES)
    def test_all_of_them_are_needed(self, tmp_path: Path, missing: str) -> None:
        for name in FILES:
            (tmp_path / name).touch()
        assert WhisperOptions.is_complete(tmp_path)
        (tmp_path / missing).unlink()
        assert not WhisperOptions.is_complete(tmp_path)

    def test_partials_need_none(self) -> None:
        assert not WhisperStreamingOptions.has_files


class TestProcesses:
    @pytest.mark.parametrize("kind", [WhisperOptions, WhisperStreamingOptions])
    def test_each_opens_the_network_itself(self, kind: Any) -> None:
        assert kind.opens_after_fork and kind.recognises_apart


class TestLoad:
    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"it has no config\.json"):
            WhisperOptions().load(LoadContext(tmp_path))

    def test_damaged_weights_are_named(self, tmp_path: Path) -> None:
        for name in FILES:
            (tmp_path / name).write_text("{}", encoding="utf-8")
        with pytest.raises(ModelError, match=r"model\.bin (cannot be loaded|is damaged)"):
            WhisperOptions().load(LoadContext(tmp_path))

    def test_a_compute_type_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        for name in FILES:
            (tmp_path / name).touch()
        with pytest.raises(ModelError, match=r"cannot compute in bfloat16 here; it can in .*int8"):
            WhisperOptions().load(LoadContext(tmp_path, compute_type="bfloat16"))

    @pytest.mark.parametrize("offline", [None, ScriptedOffline(Script())])
    def test_partials_need_whisper_as_the_second_pass(self, offline: Any) -> None:
        with pytest.raises(ModelError, match=r"need \[offline\] with kind"):
            WhisperStreamingOptions().load(LoadContext(Path(), offline=offline))

    @pytest.mark.parametrize(("device", "used"), [("auto", "cpu"), ("cpu", "cpu"), ("cuda", "cuda")])
    def test_a_gpu_is_used_by_those_who_ask_for_it(self, device: str, used: str) -> None:
        assert WhisperOptions().device(LoadContext(Path(), device=device)) == used

    def test_reading_options_loads_no_library(self) -> None:
        code = (
            "import sys, recognition.whisper.options;"
            "print(*[m for m in ('ctranslate2', 'tokenizers', 'opencc', 'torch') if m in sys.modules])"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert found.stdout.split() == []
