"""Tables of a file as dataclasses: what is taken, and how what is not is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.exceptions import ModelSetError
from recognition.tables import Between, Place, check_keys, read_table

PLACE = Place("own.toml", "recogniser")


@dataclass(frozen=True, slots=True)
class Options:
    """One field of every type that a table may have."""

    title: str
    beam: Annotated[int, Between(1, 10)] = 2
    threshold: Annotated[float, Between(0, 1)] = 0.5
    patience: Annotated[float, Between(0)] = 1.0
    length: int = 100
    scale: float = 1.0
    is_exact: bool = False
    language: Literal["zh", "en"] = "zh"
    languages: tuple[Literal["zh", "en"], ...] = ("zh",)
    names: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    silence_ms: Annotated[int, Between(50, 1000)] | None = None

    def __post_init__(self) -> None:
        if self.beam > 5 and self.is_exact:
            raise ValueError(f"is_exact = true takes beam = 5 or less, not {self.beam}")


def read(toml: str) -> Options:
    return read_table(Options, {"title": "Ours", **tomllib.loads(toml)}, PLACE)


def refusal(toml: str) -> str:
    with pytest.raises(ModelSetError) as refused:
        read(toml)
    return str(refused.value)


class TestValuesThatAreTaken:
    def test_a_table_without_keys_gives_the_defaults(self) -> None:
        assert read("") == Options("Ours")

    @pytest.mark.parametrize(
        ("toml", "value"),
        [
            ("beam = 1", 1),
            ("beam = 10", 10),
            ("threshold = 0.0", 0.0),
            ("threshold = 1.0", 1.0),
            ("threshold = 1", 1.0),
            ("patience = 1e9", 1e9),
            ("length = -3", -3),
            ("scale = 2", 2.0),
            ("is_exact = true", True),
            ('language = "en"', "en"),
            ('languages = ["en", "zh"]', ("en", "zh")),
            ("languages = []", ()),
            ('names = ["张伟", "李娜"]', ("张伟", "李娜")),
            ('sha256 = { "model.pt" = "ab12" }', {"model.pt": "ab12"}),
            ("extra = { a = [1, 2], b = { c = true } }", {"a": [1, 2], "b": {"c": True}}),
            ("silence_ms = 50", 50),
        ],
    )
    def test_a_value_of_the_type_and_in_the_range_is_taken(self, toml: str, value: object) -> None:
        key = toml.split(" = ")[0]
        assert getattr(read(toml), key) == value

    def test_a_whole_number_where_any_number_may_be_becomes_a_float(self) -> None:
        assert isinstance(read("threshold = 1").threshold, float)

    def test_a_list_becomes_a_tuple_so_that_options_stay_frozen(self) -> None:
        assert isinstance(read('names = ["a"]').names, tuple)

    def test_fields_that_come_from_elsewhere_are_given_beside_the_table(self) -> None:
        assert read_table(Options, {"beam": 3}, PLACE, title="given") == Options("given", beam=3)

    @given(st.integers(1, 10), st.floats(0, 1), st.booleans(), st.sampled_from(["zh", "en"]))
    def test_whatever_is_allowed_comes_out_as_it_went_in(
        self, beam: int, threshold: float, is_exact: bool, language: str
    ) -> None:
        table = {"title": "t", "beam": beam, "threshold": threshold, "language": language}
        options = read_table(Options, table | {"is_exact": is_exact and beam <= 5}, PLACE)
        assert (options.beam, options.threshold, options.language) == (beam, threshold, language)


class TestValuesThatAreRefused:
    @pytest.mark.parametrize(
        ("toml", "value", "allowed"),
        [
            ("beam = 0", "0", "a whole number from 1 to 10"),
            ("beam = 11", "11", "a whole number from 1 to 10"),
            ('beam = "2"', '"2"', "a whole number from 1 to 10"),
            ("beam = 2.0", "2.0", "a whole number from 1 to 10"),
            ("beam = true", "true", "a whole number from 1 to 10"),
            ("beam = [2]", "[2]", "a whole number from 1 to 10"),
            ("threshold = 7", "7", "a number from 0 to 1"),
            ("threshold = -0.1", "-0.1", "a number from 0 to 1"),
            ("threshold = nan", "NaN", "a number from 0 to 1"),
            ("threshold = false", "false", "a number from 0 to 1"),
            ("patience = -1", "-1", "a number, 0 or more"),
            ("patience = inf", "Infinity", "a number, 0 or more"),
            ("scale = -inf", "-Infinity", "a number"),
            ('length = "long"', '"long"', "a whole number"),
            ("is_exact = 1", "1", "true or false"),
            ('is_exact = "yes"', '"yes"', "true or false"),
            ('language = "fr"', '"fr"', '"zh" or "en"'),
            ("language = true", "true", '"zh" or "en"'),
            ('languages = "zh"', '"zh"', 'a list, each entry "zh" or "en"'),
            ('languages = ["zh", "fr"]', '["zh", "fr"]', 'a list, each entry "zh" or "en"'),
            ("names = [1]", "[1]", "a list, each entry a text in quotes"),
            ('sha256 = { "a" = 1 }', '{"a": 1}', "a table, each value a text in quotes"),
            ('sha256 = "ab"', '"ab"', "a table, each value a text in quotes"),
            ("extra = 1", "1", "a table, each value anything"),
            ("silence_ms = 49", "49", "a whole number from 50 to 1000"),
            ("length = 2026-01-01", '"2026-01-01"', "a whole number"),
        ],
    )
    def test_the_message_names_file_table_key_value_and_what_is_allowed(
        self, toml: str, value: str, allowed: str
    ) -> None:
        key = toml.split(" = ")[0]
        assert refusal(toml) == f"own.toml: [recogniser]: {key} = {value} is refused; it takes {allowed}"

    def test_a_title_that_is_no_text_is_refused(self) -> None:
        with pytest.raises(ModelSetError, match="title = 3 is refused; it takes a text in quotes"):
            read_table(Options, {"title": 3}, PLACE)

    def test_chinese_is_written_as_it_stands_in_the_file(self) -> None:
        assert 'beam = "二" is refused' in refusal('beam = "二"')

    def test_values_that_contradict_each_other_are_refused_in_the_words_of_the_dataclass(self) -> None:
        assert refusal("beam = 6\nis_exact = true") == (
            "own.toml: [recogniser]: is_exact = true takes beam = 5 or less, not 6"
        )

    @given(st.one_of(st.integers(max_value=0), st.integers(min_value=11), st.text(), st.none(), st.floats()))
    def test_nothing_but_a_whole_number_in_the_range_gets_through(self, beam: object) -> None:
        with pytest.raises(ModelSetError):
            read_table(Options, {"title": "t", "beam": beam}, PLACE)


class TestKeys:
    def test_an_unknown_key_is_refused_with_its_value_and_the_known_ones(self) -> None:
        message = refusal("frequency = 3")
        assert message.startswith("own.toml: [recogniser]: there is no key frequency, which is 3 here;")
        assert message.endswith("it takes " + ", ".join(Options.__dataclass_fields__))

    def test_of_a_misspelt_key_the_message_says_which_one_was_meant(self) -> None:
        assert "there is no key baem, which is 3 here (did you mean beam?)" in refusal("baem = 3")

    def test_a_key_that_must_be_there_is_named_when_it_is_missing(self) -> None:
        with pytest.raises(ModelSetError, match=r"^own.toml: \[recogniser\]: title is missing$"):
            read_table(Options, {}, PLACE)

    def test_a_field_that_comes_from_elsewhere_is_no_key(self) -> None:
        with pytest.raises(ModelSetError, match="there is no key title"):
            read_table(Options, {"title": "a"}, PLACE, title="b")

    def test_a_table_that_takes_nothing_says_so(self) -> None:
        with pytest.raises(ModelSetError, match="there is no key beam, which is 5 here; it takes none"):
            check_keys({"beam": 5}, [], PLACE)

    @pytest.mark.parametrize("value", [3, "text", [1], True, None])
    def test_what_is_no_table_is_refused(self, value: object) -> None:
        with pytest.raises(ModelSetError, match=r"^own.toml: \[recogniser\]: this is not a table but "):
            read_table(Options, value, PLACE)


class TestPlaces:
    def test_the_top_of_a_file_is_named_by_the_file_alone(self) -> None:
        assert str(Place("own.toml")) == "own.toml"

    def test_a_table_in_a_table_is_named_as_toml_names_it(self) -> None:
        assert str(Place("own.toml").inner("vad").inner("options")) == "own.toml: [vad.options]"


def test_an_annotation_that_tables_cannot_hold_is_a_mistake_of_the_programmer() -> None:
    @dataclass(frozen=True)
    class Wrong:
        moment: complex = 0j

    with pytest.raises(KeyError):
        read_table(Wrong, {"moment": 1}, PLACE)
