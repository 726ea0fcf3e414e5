from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from recognition.evaluation import recordings
from recognition.exceptions import RecordingsError


def write_manifest(folder: Path, rows: Any) -> None:
    (folder / "manifest.json").write_text(json.dumps(rows), encoding="utf-8")


def row(file: str, **more: str) -> dict[str, str]:
    return {"file": file, "speaker": file.split("/")[0], "text": "好", **more}


class TestListed:
    def test_only_audio_of_named_speakers_is_listed(self, tmp_path: Path) -> None:
        nobody = row("carl/1.wav", speaker="")
        write_manifest(tmp_path, [row("ann/1.flac", licence="CC BY 4.0"), row("notes.txt"), nobody])

        [found] = recordings.listed(tmp_path)

        assert found.path == tmp_path / "ann/1.flac"
        assert (found.speaker, found.text, found.licence) == ("ann", "好", "CC BY 4.0")

    def test_text_and_licence_need_not_be_known(self, tmp_path: Path) -> None:
        write_manifest(tmp_path, [{"file": "1.ogg", "speaker": "ann"}])

        [found] = recordings.listed(tmp_path)

        assert (found.text, found.licence) == (None, "")

    def test_a_part_of_the_folder_can_be_asked_for(self, tmp_path: Path) -> None:
        write_manifest(tmp_path, [row("ann/1.flac"), row("ann/2.flac"), row("bob/1.flac")])

        assert len(recordings.listed(tmp_path, under="ann/")) == 2

    def test_a_folder_without_a_manifest_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingsError, match=f"{tmp_path} has no manifest.json"):
            recordings.listed(tmp_path)

    @pytest.mark.parametrize("rows", [{"file": "1.wav"}, [1], [{"speaker": "ann"}], [{"file": None}], None])
    def test_a_manifest_of_another_form_is_an_error(self, tmp_path: Path, rows: Any) -> None:
        write_manifest(tmp_path, rows)

        with pytest.raises(RecordingsError, match=r"manifest\.json is no list of objects with `file`"):
            recordings.listed(tmp_path)

    def test_a_manifest_that_is_no_json_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "manifest.json").write_bytes(b"\xff[")

        with pytest.raises(RecordingsError, match=r"manifest\.json is no list"):
            recordings.listed(tmp_path)

    def test_paths_are_kept_by_speaker_in_their_order(self, tmp_path: Path) -> None:
        write_manifest(tmp_path, [row("ann/1.flac"), row("bob/1.flac"), row("ann/2.flac")])

        speakers = recordings.by_speaker(recordings.listed(tmp_path))

        assert {name: [path.name for path in paths] for name, paths in speakers.items()} == {
            "ann": ["1.flac", "2.flac"],
            "bob": ["1.flac"],
        }


class TestRead:
    def test_stereo_at_another_rate_becomes_mono_at_16_khz(self, tmp_path: Path) -> None:
        path = tmp_path / "stereo.wav"
        soundfile.write(path, np.zeros((44_100, 2), np.float32), 44_100)

        audio = recordings.read(path)

        assert audio.dtype == np.float32
        assert audio.shape == (16_000,)

    def test_a_file_that_is_no_audio_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "broken.flac").write_bytes(b"no audio")

        with pytest.raises(RecordingsError, match=r"broken\.flac cannot be read: "):
            recordings.read(tmp_path / "broken.flac")

    def test_a_file_that_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingsError, match=r"gone\.wav cannot be read: "):
            recordings.read(tmp_path / "gone.wav")


class TestTrimmed:
    def test_silence_at_the_ends_is_cut_off(self) -> None:
        spoken = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
        quiet = np.zeros(16_000, np.float32)

        trimmed = recordings.trimmed(np.concatenate([quiet, spoken, quiet]), keep_s=0.05)

        assert len(trimmed) / 16_000 == pytest.approx(1.1, abs=0.05)

    @pytest.mark.parametrize("length", [0, 100, 16_000])
    def test_silence_alone_stays(self, length: int) -> None:
        assert len(recordings.trimmed(np.zeros(length, np.float32))) == length
