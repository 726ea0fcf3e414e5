"""Sealed chunks: what is read is what was written at that place of that file, or there is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.recordings import chunks
from sessions_app.recordings.chunks import Damaged, Label, Layout, Seal

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
SALT, OTHER_SALT = b"s" * chunks.SALT_BYTES, b"t" * chunks.SALT_BYTES
NONCE = b"n" * chunks.NONCE_BYTES
SEAL = Seal(KEY, SALT)
PLAIN = b"what was said"
HERE = Label(3, 300)


@given(st.binary(max_size=300), st.integers(0, 2**40), st.booleans())
def test_what_was_sealed_comes_out(plain: bytes, number: int, is_last: bool) -> None:
    label = Label(number, number * 7, is_last)
    chunk = SEAL.close(plain, label, NONCE)
    assert len(chunk) == len(plain) + chunks.OVERHEAD
    assert SEAL.open(chunk, label) == plain


def test_nothing_of_it_can_be_seen() -> None:
    assert PLAIN[:4] not in SEAL.close(PLAIN, HERE, NONCE)


@pytest.mark.parametrize(
    "elsewhere",
    [Label(4, 300), Label(3, 301), Label(3, 300, is_last=True)],
    ids=["another number", "another place", "the end of the file"],
)
def test_a_chunk_that_was_put_elsewhere_is_noticed(elsewhere: Label) -> None:
    chunk = SEAL.close(PLAIN, HERE, NONCE)
    with pytest.raises(Damaged, match=f"chunk {elsewhere.number}"):
        SEAL.open(chunk, elsewhere)


@pytest.mark.parametrize("seal", [Seal(OTHER_KEY, SALT), Seal(KEY, OTHER_SALT)], ids=["session", "file"])
def test_a_chunk_of_another_session_or_file_is_noticed(seal: Seal) -> None:
    with pytest.raises(Damaged):
        SEAL.open(seal.close(PLAIN, HERE, NONCE), HERE)


@pytest.mark.parametrize("at", range(0, len(PLAIN) + chunks.OVERHEAD, 5))
def test_a_bit_that_was_turned_over_is_noticed(at: int) -> None:
    chunk = bytearray(SEAL.close(PLAIN, HERE, NONCE))
    chunk[at] ^= 1
    with pytest.raises(Damaged):
        SEAL.open(bytes(chunk), HERE)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27, 28, 40])
def test_a_chunk_that_was_cut_is_noticed(length: int) -> None:
    with pytest.raises(Damaged):
        SEAL.open(SEAL.close(PLAIN, HERE, NONCE)[:length], HERE)


class TestHeader:
    def test_tells_the_salt(self) -> None:
        header = chunks.header(SALT)
        assert len(header) == chunks.HEADER_BYTES
        assert chunks.salt_of(header + b"and more") == SALT

    @pytest.mark.parametrize("length", [0, 7, chunks.HEADER_BYTES - 1])
    def test_a_file_that_is_too_short_has_none(self, length: int) -> None:
        with pytest.raises(Damaged, match="ends before"):
            chunks.salt_of(chunks.header(SALT)[:length])

    @pytest.mark.parametrize("beginning", [b"fLaC" * 10, b"asr-seal\x02" + SALT], ids=["flac", "newer"])
    def test_another_file_has_none(self, beginning: bytes) -> None:
        with pytest.raises(Damaged, match="no sealed one, or one of a newer version"):
            chunks.salt_of(beginning)


class TestRecordHeader:
    @given(st.integers(1, chunks.MAX_RECORD), st.integers(0, chunks.MAX_START))
    def test_comes_back(self, length: int, start: int) -> None:
        header = chunks.record_header(length, start)
        assert chunks.parse_record_header(header + b"chunk") == (length, start)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\0" * (chunks.RECORD_BYTES - 1),
            b"\0" * 40,
            chunks.record_header(chunks.MAX_RECORD + 1, 0),
            chunks.record_header(1, chunks.MAX_START + 1),
        ],
        ids=["the end", "cut", "zeros that a loss of power left", "too much", "too far"],
    )
    def test_is_none_where_no_record_is(self, data: bytes) -> None:
        assert chunks.parse_record_header(data) is None


class TestLayout:
    @given(st.integers(0, 5000), st.integers(1, 300))
    def test_the_length_of_a_file_tells_what_is_in_it(self, length: int, chunk_bytes: int) -> None:
        layout = Layout(chunk_bytes)
        count = max(1, -(-length // chunk_bytes))
        file_bytes = chunks.HEADER_BYTES + length + count * chunks.OVERHEAD
        assert (layout.count(file_bytes), layout.length(file_bytes)) == (count, length)

    def test_chunks_lie_one_behind_another_and_the_last_says_so(self) -> None:
        layout = Layout(100)
        assert layout.offset(0) == chunks.HEADER_BYTES
        assert layout.offset(2) - layout.offset(1) == 100 + chunks.OVERHEAD
        assert [layout.label(number, 3) for number in range(3)] == [
            Label(0, 0),
            Label(1, 100),
            Label(2, 200, is_last=True),
        ]
