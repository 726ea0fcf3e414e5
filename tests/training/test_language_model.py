"""The language model is counted as it says, and keeps nothing of what is held out."""

import math
import tempfile
import unittest
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recognition.language_model import END, START, UNKNOWN, read_language_model
from training import corpus
from training.language_model import FILE, LanguageRecipe, estimate, train, write_arpa
from training.text import is_held_out, sentences_of

EVERYTHING = LanguageRecipe(least=(1, 1, 1))


def log10(texts, *words, recipe=EVERYTHING):
    """Of the last of three words after the others, as the service reads the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        write_arpa(path, estimate(texts, recipe))
        model = read_language_model(path)
    numbers = [np.array([model.number(word)]) for word in words]
    return float(model.log_probabilities(*numbers)[0]) / math.log(10)


class EstimateTests(unittest.TestCase):
    def test_what_is_said_more_often_is_likelier(self):
        texts = ["预算", "预算", "预算", "预告"]

        self.assertGreater(log10(texts, START, "预", "算"), log10(texts, START, "预", "告"))

    def test_what_was_never_said_is_possible(self):
        self.assertGreater(log10(["预算"], START, "预", "遇"), -4)

    def test_an_n_gram_by_hand(self):
        # Four words come up, nine times in all: 预 and the end three times each, 算 twice, 告 once.
        orders = estimate(["预算", "预算", "预告"], EVERYTHING)
        left = 0.75 * 4 / 9 / 5  # what discounting leaves, for each word and the unknown one
        sun = (2 - 0.75) / 9 + left
        after_yu = (2 - 0.75) / 3 + (1 - (3 - 2 * 0.75) / 3) * sun

        self.assertAlmostEqual(orders[0][("算",)].probability, sun)
        self.assertAlmostEqual(orders[1][("预", "算")].probability, after_yu)

    @given(st.lists(st.text("预算告别", min_size=1, max_size=6), min_size=1, max_size=12), st.integers(1, 3))
    def test_the_probabilities_after_every_pair_add_up_to_one(self, texts, least):
        orders = estimate(texts, LanguageRecipe(least=(1, least, least)))
        words = [gram[0] for gram in orders[0] if gram != (START,)]
        with tempfile.TemporaryDirectory() as folder:
            write_arpa(Path(folder) / FILE, orders)
            model = read_language_model(Path(folder) / FILE)
        third = np.array([model.number(word) for word in words])
        for first in (START, *"预算", UNKNOWN):
            for second in "预算告":
                pair = [np.array([model.number(word)]) for word in (first, second)]
                total = np.exp(model.log_probabilities(*pair, third)).sum()
                self.assertAlmostEqual(float(total), 1.0, delta=0.03)  # the file has two decimals

    def test_what_came_up_too_seldom_is_left_to_shorter_n_grams(self):
        texts = ["预算", "预算", "预告"]
        orders = estimate(texts, LanguageRecipe(least=(1, 2, 2)))

        self.assertIn((START, "预", "算"), orders[2])
        self.assertNotIn((START, "预", "告"), orders[2])
        self.assertNotIn(("预", "告"), orders[1])
        self.assertGreater(log10(texts, START, "预", "告", recipe=LanguageRecipe(least=(1, 2, 2))), -2)

    def test_no_text_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no text"):
            estimate([], EVERYTHING)


class FileTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_the_same_recipe_gives_the_same_bytes(self):
        recipe = LanguageRecipe(texts=50)
        for name in ("first", "second"):
            train(self.folder / name, recipe)

        first, second = ((self.folder / name / FILE).read_bytes() for name in ("first", "second"))
        self.assertEqual(first, second)

    def test_it_says_how_many_n_grams_there_are(self):
        counts = train(self.folder, LanguageRecipe(texts=50))
        model = read_language_model(self.folder / FILE)

        self.assertEqual(counts[0], len(model.words))
        self.assertGreater(counts[1], 10)
        self.assertTrue({START, END, UNKNOWN} <= model.words.keys())

    def test_nothing_that_is_held_out_is_counted(self):
        spoken = corpus.texts(Random("language model 1"))

        for _ in range(2000):
            self.assertFalse(any(map(is_held_out, sentences_of(next(spoken)))))
