from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognition.exceptions import ModelError
from recognition.whisper.weights import read_weights

from .random_whisper import arrays, write_arrays


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.bin"


class TestReadWeights:
    def test_gives_every_array_by_its_name(self, file: Path) -> None:
        written = arrays(0)
        write_arrays(file, written)
        read = read_weights(file)
        assert list(read) == list(written)
        for name, array in written.items():
            np.testing.assert_array_equal(read[name], array)
            assert read[name].dtype == array.dtype

    @pytest.mark.parametrize("kept", [0, 3, 10, 100, 5000])
    def test_a_file_that_was_cut_off_is_damaged(self, file: Path, kept: int) -> None:
        write_arrays(file, arrays(0))
        file.write_bytes(file.read_bytes()[:kept])
        with pytest.raises(ModelError, match=r"model\.bin is (damaged|empty)"):
            read_weights(file)

    def test_another_version_of_the_format_is_named(self, file: Path) -> None:
        file.write_bytes(b"\x07\0\0\0" + bytes(100))
        with pytest.raises(ModelError, match="not of version 6: it says 7"):
            read_weights(file)

    def test_an_unknown_type_of_number_is_damage(self, file: Path) -> None:
        write_arrays(file, {"a": np.zeros(2, np.float32)})
        content = bytearray(file.read_bytes())
        content[content.index(b"a\0") + 2 + 1 + 4] = 99
        file.write_bytes(content)
        with pytest.raises(ModelError, match="is damaged"):
            read_weights(file)
