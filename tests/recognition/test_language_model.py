"""A language model is read as other programs write it, and decides between what was heard."""

from __future__ import annotations

import gzip
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.exceptions import ModelError
from recognition.language_model import (
    Choices,
    GreedySearch,
    LanguageModel,
    TrigramSearch,
    find_file,
    read_language_model,
)

# As KenLM writes it: tabs between columns, no backoff where nothing follows.
ARPA = """\\data\\
ngram 1=6
ngram 2=4
ngram 3=2

\\1-grams:
-2.0\t<unk>\t0
0\t<s>\t-0.3
-1.0\t</s>
-0.7\t预\t-0.2
-0.8\t算\t-0.4
-1.5\t遇\t-0.1

\\2-grams:
-0.4\t<s> 预\t-0.25
-0.1\t预 算\t-0.15
-0.6\t算 </s>
-1.2\t遇 算\t0

\\3-grams:
-0.05\t<s> 预 算
-0.2\t预 算 </s>

\\end\\
"""

TOKENS = ["", "预", "遇", "算", "酸"]
"""Of a recogniser; the first writes nothing, and the model does not know the last."""


class ReadingTests:
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def read(self, text: str = ARPA, **options: float) -> LanguageModel:
        path = self.folder / "own.arpa"
        path.write_text(text, encoding="utf-8")
        return read_language_model(path, **options)


class TestProbability(ReadingTests):
    def assert_log10(self, words: str, expected: float) -> None:
        model = self.read()
        numbers = [np.array([model.number(word)]) for word in words.split()]

        [found] = model.log_probabilities(*numbers)

        assert found / math.log(10) == pytest.approx(expected, abs=5e-6)

    def test_a_trigram_that_is_listed_has_its_own_probability(self) -> None:
        self.assert_log10("<s> 预 算", -0.05)
        self.assert_log10("预 算 </s>", -0.2)

    def test_another_is_that_of_its_last_two_words_after_the_backoff_of_its_first_two(self) -> None:
        self.assert_log10("预 遇 算", -1.2)  # of "预 遇" nothing is known
        self.assert_log10("遇 算 </s>", 0 - 0.6)
        self.assert_log10("<s> 预 遇", -0.25 + (-0.2 - 1.5))

    def test_without_either_it_is_that_of_the_last_word_after_the_backoff_of_the_one_before(self) -> None:
        self.assert_log10("遇 遇 预", -0.1 - 0.7)

    def test_what_it_never_saw_is_the_unknown_word(self) -> None:
        self.assert_log10("遇 遇 酸", -0.1 - 2.0)
        self.assert_log10("酸 酸 预", 0 - 0.7)

    def test_many_are_asked_for_at_once(self) -> None:
        model = self.read()
        first = np.array([model.start, model.number("预")])

        found = model.log_probabilities(
            first[:, None], np.array([model.number("预")]), np.arange(len(model.words))[None]
        )

        assert found.shape == (2, 6)


class TestReading(ReadingTests):
    def test_a_packed_file_is_the_same_model(self) -> None:
        path = self.folder / "own.arpa.gz"
        path.write_bytes(gzip.compress(ARPA.encode()))

        assert read_language_model(path).words == self.read().words

    def test_a_model_of_pairs_or_single_words_will_do(self) -> None:
        pairs = self.read(ARPA.split("\\3-grams:")[0] + "\\end\\\n")
        singles = self.read(ARPA.split("\\2-grams:")[0] + "\\end\\\n")
        sun = np.array([pairs.number("算")])
        yu = np.array([pairs.number("预")])

        assert pairs.log_probabilities(yu, yu, sun)[0] / math.log(10) == pytest.approx(-0.1, abs=5e-6)
        assert singles.log_probabilities(yu, yu, sun)[0] / math.log(10) == pytest.approx(-1.0, abs=5e-6)

    def test_a_file_without_marks_for_start_end_and_unknown_gets_them(self) -> None:
        model = self.read("\\1-grams:\n-0.3\t预\n-0.3\t算\n\\end\\\n")

        assert model.log_probabilities(*np.array([[model.start], [model.start], [model.end]]))[0] < -200

    def test_what_is_wrong_is_said_with_the_file(self, subtests: pytest.Subtests) -> None:
        for text, message in (
            ("", "own.arpa is no language model in ARPA's format: it has no end"),
            (ARPA.replace("\\end\\", ""), "it has no end"),
            ("\\end\\\n", "n-grams of 0 lengths; 1 to 3 are supported"),
            (ARPA.replace("\\end\\", "\\4-grams:\n-1\t预 算 预 算\n\\end\\"), "n-grams of 4 lengths"),
            (ARPA.replace("-0.1\t预 算", "-0.1\t预 蒜"), "'蒜' is in a 2-gram but no 1-gram"),
            (ARPA.replace("-0.1\t预 算", "-0.1\t预"), "some of its 2-grams have not 2 words"),
            (ARPA.replace("-0.6\t算", "-0.6 算"), "1 of its 2-grams have not two or three columns"),
            (ARPA.replace("-0.7\t预\t-0.2", "预"), "'预' is no 1-gram"),
            (ARPA.replace("-0.1\t预", "little\t预"), "little"),
        ):
            with subtests.test(message), pytest.raises(ModelError, match=message):
                self.read(text)

    def test_damaged_and_missing_files_are_told_apart_from_good_ones(self) -> None:
        path = self.folder / "own.arpa.gz"
        for data in (gzip.compress(ARPA.encode())[:-20], b"no gzip", gzip.compress(b"\xff\xfe")):
            path.write_bytes(data)
            with pytest.raises(ModelError, match=r"own.arpa.gz is no language model"):
                read_language_model(path)
        with pytest.raises(ModelError, match=r"nowhere.arpa is no language model"):
            read_language_model(self.folder / "nowhere.arpa")

    def test_a_directory_holds_exactly_one(self) -> None:
        with pytest.raises(ModelError, match=r"must hold one language model, .* it has 0"):
            find_file(self.folder)
        (self.folder / "a.arpa").touch()
        assert find_file(self.folder) == self.folder / "a.arpa"
        (self.folder / "b.arpa.gz").touch()
        with pytest.raises(ModelError, match="it has 2"):
            find_file(self.folder)


def choices(*places: dict[str, float]) -> Choices:
    """What a recogniser heard at each place: its tokens with their scores, padded to as many each."""
    ids, scores = [], []
    for place in places:
        ranked = sorted(place.items(), key=lambda entry: -entry[1])
        ranked += [(token, -50.0) for token in TOKENS if token not in place]
        ids.append([TOKENS.index(token) for token, _ in ranked])
        scores.append([score for _, score in ranked])
    return Choices(np.array(ids), np.array(scores, np.float32))


class TestSearch(ReadingTests):
    def search(self, weight: float = 1.0) -> TrigramSearch:
        return TrigramSearch(self.read(weight=weight), TOKENS)

    def said(self, heard: Choices, *, is_end: bool = False) -> str:
        return "".join(TOKENS[token] for token in self.search().choose(heard, is_end=is_end))

    def test_without_a_model_the_likeliest_token_of_each_place_is_said(self) -> None:
        heard = choices({"遇": -0.1, "预": -2.0}, {"算": -0.2, "酸": -1.0})

        assert GreedySearch().choose(heard) == [TOKENS.index("遇"), TOKENS.index("算")]

    def test_of_two_that_sound_alike_the_one_that_makes_sense_is_said(self) -> None:
        assert self.said(choices({"遇": -0.6, "预": -0.8}, {"算": -0.2, "酸": -1.0})) == "预算"

    def test_what_was_heard_clearly_is_said_whatever_it_means(self) -> None:
        assert self.said(choices({"遇": 0.0, "预": -40.0}, {"酸": 0.0, "算": -40.0})) == "遇酸"

    def test_a_weight_of_nothing_leaves_it_to_the_recogniser(self) -> None:
        heard = choices({"遇": -0.6, "预": -0.8}, {"酸": -0.2, "算": -0.3})

        assert self.search(weight=0.0).choose(heard) == GreedySearch().choose(heard)

    def test_what_comes_later_may_decide_what_was_said_before(self) -> None:
        heard = {"遇": -0.1, "预": -4.0}

        assert self.said(choices(heard)) == "遇"
        assert self.said(choices(heard, {"算": 0.0})) == "预算"

    def test_what_was_said_before_counts(self) -> None:
        heard = choices({"预": -0.1, "算": -1.5})

        [first] = self.search().choose(heard)
        [later] = self.search().choose(heard, [TOKENS.index("遇"), TOKENS.index("预"), TOKENS.index("")])

        assert (TOKENS[first], TOKENS[later]) == ("预", "算")

    def test_an_utterance_ends_where_one_may_end(self) -> None:
        heard = choices({"预": 0.0}, {"预": -0.1, "算": -4.5})

        assert self.said(heard) == "预预"
        assert self.said(heard, is_end=True) == "预算"

    def test_where_nothing_is_written_the_words_around_it_stand_together(self) -> None:
        heard = choices({"遇": -0.6, "预": -0.8}, {"": 0.0, "酸": -0.1}, {"酸": -0.2, "算": -0.4})

        assert self.search().choose(heard) == [TOKENS.index("预"), 0, TOKENS.index("算")]

    def test_nothing_takes_the_place_of_a_word(self) -> None:
        assert self.said(choices({"酸": -0.1, "": -0.2})) == "酸"

    def test_nothing_heard_is_nothing_said(self) -> None:
        nothing = Choices(np.zeros((0, 5), np.int64), np.zeros((0, 5), np.float32))

        assert self.search().choose(nothing, is_end=True) == []
        assert GreedySearch().choose(nothing) == []

    @settings(max_examples=60)
    @given(st.data())
    def test_no_other_choice_of_tokens_is_likelier(self, data: st.DataObject) -> None:
        scores = st.floats(-5, 0, width=32)
        places = data.draw(
            st.lists(st.fixed_dictionaries(dict.fromkeys(TOKENS[1:], scores)), min_size=1, max_size=4)
        )
        weight = data.draw(st.sampled_from([0.3, 1.0, 2.0]))
        is_end = data.draw(st.booleans())
        model = self.read(weight=weight)

        def likelihood(text: tuple[str, ...]) -> float:
            words = [model.start, model.start, *(model.number(word) for word in text)]
            words += [model.end] if is_end else []
            triples = zip(words, words[1:], words[2:], strict=False)
            language = sum(float(model.log_probabilities(*map(np.array, triple))) for triple in triples)
            return sum(place[word] for place, word in zip(places, text, strict=True)) + weight * language

        found = TrigramSearch(model, TOKENS).choose(choices(*places), is_end=is_end)

        best = max(map(likelihood, itertools.product(TOKENS[1:], repeat=len(places))))
        assert likelihood(tuple(TOKENS[token] for token in found)) == pytest.approx(best, abs=5e-4)
