"""Excerpts of real meetings on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from benchmarks.speakers import excerpts


def put(folder: Path, names: list[str], recorded: list[str]) -> None:
    folder.mkdir(parents=True)
    rows = [f"SPEAKER {name} 1 0.00 1.00 <NA> <NA> Ann <NA> <NA>" for name in names]
    (folder / "all.rttm").write_text("\n".join(rows), encoding="utf-8")
    for name in recorded:
        soundfile.write(folder / f"{name}.flac", np.zeros(16_000), 16_000)


def test_what_has_a_recording_and_a_truth_is_an_excerpt(tmp_path: Path) -> None:
    put(tmp_path / excerpts.FOLDERS[0], ["tst00", "dev00", "unheard"], ["tst00", "dev00", "untold"])
    put(tmp_path / excerpts.FOLDERS[1], ["EN2002a_30s"], ["EN2002a_30s"])

    found = list(excerpts.all_of(tmp_path))

    assert [(each.name, each.is_held_out) for each in found] == [
        ("tst00", True),
        ("dev00", False),
        ("EN2002a_30s", True),
    ]
    assert [(segment.start, segment.end, segment.speaker) for segment in found[0].truth] == [(0, 1, "Ann")]
    assert len(found[0].audio) == 16_000


def test_without_recordings_there_are_none(tmp_path: Path) -> None:
    assert list(excerpts.all_of(tmp_path)) == []
