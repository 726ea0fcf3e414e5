"""Archives: whole, or refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from sessions_app.backups.archives import (
    ArchiveWriter,
    BackupError,
    Manifest,
    extract,
    remove_overtaken,
)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "recordings").mkdir(parents=True)
    (folder / "recordings" / "1.flac").write_bytes(b"fLaC" * 1000)
    (folder / "recordings" / "2.pcm").write_bytes(bytes(5000))
    return folder


@pytest.fixture
def archive(tmp_path: Path, media: Path) -> Path:
    return written(tmp_path / "backup.tar", media)


def written(path: Path, media: Path) -> Path:
    with path.open("wb") as file:
        writer = ArchiveWriter(file, Manifest("1.0", "today", "sqlite", rows={"session": 3}))
        writer.add_media(media)
        writer.close()
    return path


def test_everything_comes_out_as_it_went_in(archive: Path, tmp_path: Path, media: Path) -> None:
    manifest = extract(archive, tmp_path / "out")
    assert manifest.rows == {"session": 3}
    assert sorted(manifest.files) == ["media/recordings/1.flac", "media/recordings/2.pcm"]
    for name in manifest.files:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes()


class TestWhileItIsUsed:
    def test_a_file_that_grows_is_taken_as_it_was(self, tmp_path: Path, media: Path) -> None:
        journal = media / "recordings" / "2.pcm"
        with (tmp_path / "backup.tar").open("wb") as file, journal.open("ab") as growing:
            writer = ArchiveWriter(file, Manifest("1.0", "today", "sqlite"))
            gettarinfo = writer._tar.gettarinfo

            def grow(*args: object, **kwargs: object) -> tarfile.TarInfo:
                info = gettarinfo(*args, **kwargs)  # type: ignore[arg-type]
                growing.write(bytes(800))
                growing.flush()
                return info

            writer._tar.gettarinfo = grow  # type: ignore[method-assign]
            writer.add_media(media)
            writer.close()
        [_, taken] = extract(tmp_path / "backup.tar", tmp_path / "out").files.values()
        assert taken.size == journal.stat().st_size - 800

    def test_a_file_that_turns_into_another_is_not_missed(
        self, tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add = ArchiveWriter.add

        def end_session(self: ArchiveWriter, name: str, path: Path) -> bool:
            journal = media / "recordings" / "2.pcm"
            if journal.exists():
                journal.rename(journal.with_suffix(".flac"))
            return add(self, name, path)

        monkeypatch.setattr(ArchiveWriter, "add", end_session)
        manifest = extract(written(tmp_path / "backup.tar", media), tmp_path / "out")
        assert sorted(manifest.files) == ["media/recordings/1.flac", "media/recordings/2.flac"]

    def test_what_is_half_written_stays_out(self, tmp_path: Path, media: Path) -> None:
        (media / "recordings" / "3.unfinished-77").write_bytes(b"half")
        manifest = extract(written(tmp_path / "backup.tar", media), tmp_path / "out")
        assert len(manifest.files) == 2

    def test_a_journal_beside_its_finished_recording_is_left_behind(self, media: Path) -> None:
        (media / "recordings" / "1.pcm").write_bytes(bytes(100))
        remove_overtaken(media)
        assert {path.name for path in (media / "recordings").iterdir()} == {"1.flac", "2.pcm"}


class TestRefused:
    def test_one_that_was_cut_short(self, archive: Path, tmp_path: Path) -> None:
        archive.write_bytes(archive.read_bytes()[:6000])
        with pytest.raises(BackupError, match=r"cannot be read|incomplete"):
            extract(archive, tmp_path / "out")

    def test_one_in_which_a_bit_is_wrong(self, archive: Path, tmp_path: Path) -> None:
        content = archive.read_bytes()
        archive.write_bytes(content.replace(b"fLaCfLaC", b"fLaCfLaX", 1))
        with pytest.raises(BackupError, match=r"damaged: media/recordings/1.flac"):
            extract(archive, tmp_path / "out")

    def test_what_is_no_archive(self, tmp_path: Path) -> None:
        (tmp_path / "backup.tar").write_bytes(b"no archive" * 1000)
        with pytest.raises(BackupError, match="cannot be read as a backup"):
            extract(tmp_path / "backup.tar", tmp_path / "out")

    @pytest.mark.parametrize("name", ["../outside", "in/../../outside"])
    def test_one_that_reaches_out_of_its_folder(self, tmp_path: Path, name: str) -> None:
        with tarfile.open(tmp_path / "backup.tar", "w") as tar:
            info = tarfile.TarInfo(name)
            info.size = 4
            tar.addfile(info, io.BytesIO(b"evil"))
        with pytest.raises(BackupError):
            extract(tmp_path / "backup.tar", tmp_path / "out" / "in")
        assert not (tmp_path / "out" / "outside").exists()


def test_a_journal_whose_encrypted_recording_is_there_goes_as_well(media: Path) -> None:
    for name in ("3.pcm-sealed", "3.flac-sealed", "4.pcm-sealed", "13.flac"):
        (media / "recordings" / name).write_bytes(b"sealed")
    remove_overtaken(media)
    left = {path.name for path in (media / "recordings").iterdir()}
    assert left == {"1.flac", "2.pcm", "3.flac-sealed", "4.pcm-sealed", "13.flac"}
