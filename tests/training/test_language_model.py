"""The language model is counted as it says, and keeps nothing of what is held out."""

import math
import tempfile
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.language_model import END, START, UNKNOWN, read_language_model
from training import corpus
from training.language_model import FILE, LanguageRecipe, estimate, train, write_arpa
from training.text import is_held_out, sentences_of

EVERYTHING = LanguageRecipe(least=(1, 1, 1))


def log10(texts: list[str], *words: str, recipe: LanguageRecipe = EVERYTHING) -> float:
    """Of the last of three words after the others, as the service reads the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        write_arpa(path, estimate(texts, recipe))
        model = read_language_model(path)
    numbers = [np.array([model.number(word)]) for word in words]
    return float(model.log_probabilities(*numbers)[0]) / math.log(10)


class TestEstimate:
    def test_what_is_said_more_often_is_likelier(self) -> None:
        texts = ["预算", "预算", "预算", "预告"]

        assert log10(texts, START, "预", "算") > log10(texts, START, "预", "告")

    def test_what_was_never_said_is_possible(self) -> None:
        assert log10(["预算"], START, "预", "遇") > -4

    def test_an_n_gram_by_hand(self) -> None:
        # Four words come up, nine times in all: 预 and the end three times each, 算 twice, 告 once.
        orders = estimate(["预算", "预算", "预告"], EVERYTHING)
        left = 0.75 * 4 / 9 / 5  # what discounting leaves, for each word and the unknown one
        sun = (2 - 0.75) / 9 + left
        after_yu = (2 - 0.75) / 3 + (1 - (3 - 2 * 0.75) / 3) * sun

        assert orders[0][("算",)].probability == pytest.approx(sun)
        assert orders[1][("预", "算")].probability == pytest.approx(after_yu)

    @given(st.lists(st.text("预算告别", min_size=1, max_size=6), min_size=1, max_size=12), st.integers(1, 3))
    def test_the_probabilities_after_every_pair_add_up_to_one(self, texts: list[str], least: int) -> None:
        orders = estimate(texts, LanguageRecipe(least=(1, least, least)))
        words = [gram[0] for gram in orders[0] if gram != (START,)]
        with tempfile.TemporaryDirectory() as folder:
            write_arpa(Path(folder) / FILE, orders)
            model = read_language_model(Path(folder) / FILE)
        third = np.array([model.number(word) for word in words])
        for first in (START, *"预算", UNKNOWN):
            for second in "预算告":
                one, another = (np.array([model.number(word)]) for word in (first, second))
                total = np.exp(model.log_probabilities(one, another, third)).sum()
                assert float(total) == pytest.approx(1.0, abs=0.03)  # the file has two decimals

    def test_what_came_up_too_seldom_is_left_to_shorter_n_grams(self) -> None:
        texts = ["预算", "预算", "预告"]
        orders = estimate(texts, LanguageRecipe(least=(1, 2, 2)))

        assert (START, "预", "算") in orders[2]
        assert (START, "预", "告") not in orders[2]
        assert ("预", "告") not in orders[1]
        assert log10(texts, START, "预", "告", recipe=LanguageRecipe(least=(1, 2, 2))) > -2

    def test_no_text_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no text"):
            estimate([], EVERYTHING)


class TestFile:
    def test_the_same_recipe_gives_the_same_bytes(self, tmp_path: Path) -> None:
        recipe = LanguageRecipe(texts=50)
        for name in ("first", "second"):
            train(tmp_path / name, recipe)

        first, second = ((tmp_path / name / FILE).read_bytes() for name in ("first", "second"))
        assert first == second

    def test_it_says_how_many_n_grams_there_are(self, tmp_path: Path) -> None:
        counts = train(tmp_path, LanguageRecipe(texts=50))
        model = read_language_model(tmp_path / FILE)

        assert counts[0] == len(model.words)
        assert counts[1] > 10
        assert {START, END, UNKNOWN} <= model.words.keys()

    def test_nothing_that_is_held_out_is_counted(self) -> None:
        spoken = corpus.texts(Random("language model 1"))

        for _ in range(2000):
            assert not any(map(is_held_out, sentences_of(next(spoken))))
