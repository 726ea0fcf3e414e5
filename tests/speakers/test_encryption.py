"""Voices at rest: unreadable without this installation's key, in columns and in files."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core.files.base import ContentFile

from speakers import encryption
from speakers.exceptions import Undecipherable
from speakers.fields import EncryptedStorage, seal, unseal

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def key_file(settings: Any, tmp_path: Path) -> Path:
    settings.VOICEPRINT_KEYS = []
    settings.VOICEPRINT_KEY_FILE = tmp_path / "keys"
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "keys"


class TestKeys:
    def test_the_first_use_makes_a_key_for_its_owner_alone(self, key_file: Path) -> None:
        [key] = encryption.keys()

        assert key_file.read_text() == f"{key}\n"
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600

    def test_a_key_that_is_there_is_used(self, key_file: Path) -> None:
        encryption.write_keys([OLD], replace=False)

        assert encryption.keys() == (OLD,)

    def test_of_two_processes_that_make_one_the_faster_wins(self, key_file: Path) -> None:
        encryption.write_keys([OLD], replace=False)
        encryption.write_keys([NEW], replace=False)

        assert encryption.keys() == (OLD,)

    def test_a_changed_file_is_read_again(self, key_file: Path) -> None:
        encryption.write_keys([OLD], replace=False)
        assert encryption.keys() == (OLD,)

        encryption.write_keys([NEW, OLD], replace=True)

        assert encryption.keys() == (NEW, OLD)

    def test_writing_leaves_no_other_file(self, key_file: Path) -> None:
        encryption.write_keys([OLD], replace=False)
        encryption.write_keys([NEW], replace=True)

        assert [path.name for path in key_file.parent.iterdir()] == ["keys"]

    def test_of_many_threads_that_need_the_first_key_all_get_the_same(self, key_file: Path) -> None:
        """Else what one of them encrypts can never be read again."""
        for _ in range(20):
            key_file.unlink(missing_ok=True)
            start = threading.Barrier(4)

            def use(start: threading.Barrier = start) -> tuple[tuple[str, ...], bytes]:
                start.wait()
                return encryption.keys(), encryption.encrypt(b"a voice")

            with ThreadPoolExecutor(4) as pool:
                used = [task.result() for task in [pool.submit(use) for _ in range(4)]]

            assert len({keys for keys, _ in used}) == 1
            assert all(encryption.decrypt(token) == b"a voice" for _, token in used)
        assert [path.name for path in key_file.parent.iterdir()] == ["keys"]

    def test_a_key_file_that_cannot_be_written_is_no_key(self, settings: Any, tmp_path: Path) -> None:
        settings.VOICEPRINT_KEY_FILE = tmp_path / "no such folder" / "keys"

        with pytest.raises(FileNotFoundError, match="no such folder"):
            encryption.encrypt(b"a voice")

    def test_blank_lines_and_spaces_around_keys_do_no_harm(self, key_file: Path) -> None:
        key_file.write_text(f"\n  {NEW}  \n\n{OLD}\n")

        assert encryption.keys() == (NEW, OLD)

    def test_keys_of_the_settings_come_before_the_file(self, settings: Any, key_file: Path) -> None:
        settings.VOICEPRINT_KEYS = [NEW, OLD]

        assert encryption.keys() == (NEW, OLD)
        assert not key_file.exists()


class TestTokens:
    def test_what_was_encrypted_can_be_read_again(self) -> None:
        assert encryption.decrypt(encryption.encrypt(b"a voice")) == b"a voice"

    def test_nothing_of_it_can_be_seen(self) -> None:
        assert b"a voice" not in encryption.encrypt(b"a voice")

    def test_the_same_twice_looks_different(self) -> None:
        assert encryption.encrypt(b"a voice") != encryption.encrypt(b"a voice")

    def test_an_older_key_still_reads_and_the_first_one_writes(self, settings: Any) -> None:
        settings.VOICEPRINT_KEYS = [OLD]
        token = encryption.encrypt(b"a voice")
        settings.VOICEPRINT_KEYS = [NEW, OLD]

        assert encryption.decrypt(token) == b"a voice"
        assert not encryption.is_current(token)
        assert encryption.is_current(encryption.encrypt(b"a voice"))

    @pytest.mark.parametrize("keys", [[OTHER], [OTHER, NEW]])
    def test_without_its_key_it_says_what_to_do(self, keys: list[str], settings: Any) -> None:
        settings.VOICEPRINT_KEYS = [OLD]
        token = encryption.encrypt(b"a voice")
        settings.VOICEPRINT_KEYS = keys

        with pytest.raises(Undecipherable, match="Put that key back"):
            encryption.decrypt(token)

    @pytest.mark.parametrize("at", [0, 20, -1])
    def test_what_was_tampered_with_is_not_read(self, at: int) -> None:
        token = bytearray(encryption.encrypt(b"a voice"))
        token[at] ^= 1

        with pytest.raises(Undecipherable):
            encryption.decrypt(bytes(token))

    @pytest.mark.parametrize("token", [b"", b"x", b"a voice"])
    def test_what_is_no_token_is_not_read(self, token: bytes) -> None:
        with pytest.raises(Undecipherable):
            encryption.decrypt(token)


class TestEmbeddings:
    def test_an_embedding_comes_back_as_it_was(self) -> None:
        embedding = np.random.default_rng(0).standard_normal(192).astype(np.float32)

        np.testing.assert_array_equal(unseal(seal(embedding)), embedding)

    def test_a_column_may_give_its_bytes_as_a_view(self) -> None:
        token = memoryview(seal(np.ones(4, np.float32)))

        np.testing.assert_array_equal(unseal(token), np.ones(4, np.float32))

    @pytest.mark.parametrize(
        "wrong",
        [np.ones((2, 4)), np.float32(1.0), np.array([1.0, np.nan]), np.array([np.inf, 1.0])],
        ids=["two rows", "a number", "not a number", "infinite"],
    )
    def test_what_is_no_embedding_is_refused(self, wrong: np.ndarray) -> None:
        with pytest.raises(ValueError, match="one finite vector"):
            seal(wrong)


class TestFiles:
    def test_a_file_can_only_be_read_through_its_storage(self, tmp_path: Path) -> None:
        storage = EncryptedStorage()
        name = storage.save("voice.flac", ContentFile(b"a voice"))

        assert storage.open(name).read() == b"a voice"
        assert b"a voice" not in Path(storage.path(name)).read_bytes()

    def test_a_file_that_was_read_before_is_saved_whole(self) -> None:
        storage, file = EncryptedStorage(), ContentFile(b"a voice")
        file.read()

        assert storage.open(storage.save("voice.flac", file)).read() == b"a voice"

    def test_a_voice_has_no_address(self) -> None:
        with pytest.raises(ValueError, match="no address"):
            EncryptedStorage().url("voice.flac")

    def test_without_the_key_it_says_what_to_do(self, settings: Any) -> None:
        name = EncryptedStorage().save("voice.flac", ContentFile(b"a voice"))
        settings.VOICEPRINT_KEYS = [OTHER]

        with pytest.raises(Undecipherable, match="enroll again"):
            EncryptedStorage().open(name)
