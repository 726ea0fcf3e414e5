"""The headers of tus 1.0, as its libraries send them, and as nobody should."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.hotwords import Hotword
from sessions_app.uploads import tus
from sessions_app.uploads.tus import UploadError


def metadata(**words: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in words.items())


def creation(length: str = "100", **words: str) -> tus.Announcement:
    return tus.parse_creation({"upload-length": length, "upload-metadata": metadata(**words)})


class TestCreation:
    def test_a_file_is_announced_by_length_and_name(self) -> None:
        asked = creation("123", filename="周会.mp3")
        assert (asked.size, asked.name, asked.title, asked.changed_at) == (123, "周会.mp3", "", None)

    def test_all_that_a_meeting_may_be_told_before(self) -> None:
        asked = creation(
            filename="a.wav",
            title="周会",
            models="people",
            key="weekly",
            expected="1,2",
            continues="token",
            lastModified="1764000000000",
        )
        assert asked.changed_at == dt.datetime(2025, 11, 24, 16, tzinfo=dt.UTC)
        assert (asked.title, asked.models, asked.session_key) == ("周会", "people", "weekly")
        assert (asked.expected, asked.continues) == (("1", "2"), "token")

    def test_some_clients_call_it_name_and_some_say_nothing(self) -> None:
        assert creation(name="a.wav").name == "a.wav"
        assert creation().name == "recording"

    def test_a_key_without_a_value_is_empty(self) -> None:
        assert (
            tus.parse_creation({"upload-length": "1", "upload-metadata": "is_confidential"}).name
            == "recording"
        )

    @pytest.mark.parametrize("length", ["", "0", "-1", "1.5", "１", "9" * 19, "abc"])
    def test_a_length_that_is_none_is_refused(self, length: str) -> None:
        with pytest.raises(UploadError) as refused:
            creation(length)
        assert refused.value.status == 400

    @pytest.mark.parametrize("header", ["filename ***", "filename /w==", "filename YQ"])
    def test_metadata_that_nobody_can_read_is_named(self, header: str) -> None:
        with pytest.raises(UploadError, match="filename"):
            tus.parse_creation({"upload-length": "1", "upload-metadata": header})

    def test_a_name_is_one_line_and_not_endless(self) -> None:
        name = creation(filename="a\nb\0c" + "x" * 500).name
        assert "\n" not in name
        assert "\0" not in name
        assert len(name) == tus.MAX_NAME

    @pytest.mark.parametrize("moment", ["-1", "soon", "9" * 18, ""])
    def test_a_moment_that_makes_no_sense_is_not_known(self, moment: str) -> None:
        assert creation(lastModified=moment).changed_at is None

    def test_hotwords_come_along(self) -> None:
        assert creation(hotwords="王磊,OSS:50").hotwords == (Hotword("王磊"), Hotword("OSS", 50))
        with pytest.raises(UploadError, match="hotwords: 'a' is no hotword"):
            creation(hotwords="a")

    def test_script_and_language_come_along(self) -> None:
        asked = creation(script="traditional", language="en-US")
        assert (asked.script, asked.language) == ("traditional", "en")
        assert creation(language="zh-TW").script == "traditional"
        for words in ({"script": "hant"}, {"language": "??"}):
            with pytest.raises(UploadError, match=f"{next(iter(words))}="):
                creation(**words)

    def test_digits_and_a_translation_come_along(self) -> None:
        asked = creation(itn="0", translate="ja")
        assert (asked.itn, asked.translate) == (False, "ja")
        assert (creation().itn, creation().translate) == (None, "")
        for words in ({"itn": "yes"}, {"translate": "tlh"}):
            with pytest.raises(UploadError, match=f"{next(iter(words))}="):
                creation(**words)

    def test_a_crowd_is_not_expected(self) -> None:
        with pytest.raises(UploadError):
            creation(expected=",".join(map(str, range(tus.MAX_EXPECTED + 1))))

    @given(st.text(max_size=200), st.text(max_size=200))
    def test_whatever_comes_is_understood_or_refused(self, length: str, header: str) -> None:
        try:
            tus.parse_creation({"upload-length": length, "upload-metadata": header})
        except UploadError as error:
            assert error.status == 400


class TestPieces:
    def test_a_piece_has_its_place(self) -> None:
        assert tus.parse_piece({"content-type": tus.PIECE_TYPE, "upload-offset": "42"}) == 42

    def test_other_content_is_refused(self) -> None:
        with pytest.raises(UploadError) as refused:
            tus.parse_piece({"content-type": "text/plain", "upload-offset": "0"})
        assert refused.value.status == 415

    def test_a_place_is_a_number(self) -> None:
        with pytest.raises(UploadError, match="Upload-Offset"):
            tus.parse_piece({"content-type": tus.PIECE_TYPE})


@pytest.mark.parametrize("headers", [{}, {"tus-resumable": "0.2.2"}])
def test_another_version_is_told_which_is_spoken(headers: dict[str, str]) -> None:
    with pytest.raises(UploadError, match=r"1\.0\.0") as refused:
        tus.check_version(headers)
    assert refused.value.status == 412
