"""A hotword that was nearly heard is written; what was clearly something else stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recognition.funasr.hotword_lattice import FURTHEST, HotwordLattice
from recognition.language_model import Choices, GreedySearch, Told

TOKENS = ["", "王", "汪", "磊", "类", "说", "请", "了", "实", "时", "字", "幕", "是", "o@@", "ss", "s", "他"]
WRITTEN = np.array([bool(token) for token in TOKENS])
CONTINUES = np.array([token.endswith("@@") for token in TOKENS])

Place = Mapping[str, float]


def number(token: str) -> int:
    return TOKENS.index(token)


def lattice(*words: Sequence[str], bonus: float = 2.0) -> HotwordLattice:
    return HotwordLattice([([*map(number, word)], bonus) for word in words], WRITTEN, CONTINUES)


def heard(places: Iterable[Place], width: int = 4) -> Choices:
    """Likely tokens by how far they are behind the likeliest."""
    ids, scores = [], []
    for place in places:
        ranked = sorted(place.items(), key=lambda entry: entry[1])
        ranked += [(token, 50.0) for token in TOKENS if token not in place]
        ids.append([number(token) for token, _ in ranked[:width]])
        scores.append([-behind for _, behind in ranked[:width]])
    return Choices(
        np.array(ids, np.int64).reshape(-1, width), np.array(scores, np.float32).reshape(-1, width)
    )


def said(words: HotwordLattice, *places: Place, before: str = "", is_end: bool = False) -> str:
    choices = heard(places)
    chosen = GreedySearch().choose(choices)
    found = words.choose(choices, chosen, [*map(number, before)], search=GreedySearch(), is_end=is_end)
    assert len(found) == len(chosen)
    return "".join(TOKENS[token] for token in found)


HEARD_WRONGLY = ({"请": 0}, {"汪": 0, "王": 0.6}, {"类": 0, "磊": 2.3}, {"说": 0})


class TestWords:
    def test_a_word_that_was_nearly_heard_is_written(self) -> None:
        assert said(lattice("王磊"), *HEARD_WRONGLY) == "请王磊说"

    def test_without_hotwords_nothing_changes(self) -> None:
        assert said(lattice(), *HEARD_WRONGLY) == "请汪类说"

    def test_a_word_with_little_weight_does_not_outweigh_what_was_heard(self) -> None:
        assert said(lattice("王磊", bonus=1.0), *HEARD_WRONGLY) == "请汪类说"

    def test_what_was_clearly_something_else_stays(self) -> None:
        assert said(lattice("王磊"), {"王": 0}, {"类": 0, "磊": 2.0 * FURTHEST + 0.1}) == "王类"

    def test_a_word_is_taken_whole_or_not_at_all(self) -> None:
        assert said(lattice("王磊"), {"汪": 0, "王": 0.1}, {"说": 0}) == "汪说"
        assert said(lattice("王磊"), {"汪": 0, "王": 0.1}) == "汪"

    def test_a_word_that_was_heard_rightly_stays_beside_one_that_could_be(self) -> None:
        places = ({"王": 0}, {"磊": 0, "类": 0.1}, {"了": 0, "说": 1})

        assert said(lattice("王磊", "类说"), *places) == "王磊了"

    def test_of_words_that_overlap_the_one_that_gains_most_is_written(self) -> None:
        places = ({"是": 0, "实": 0.5}, {"是": 0, "时": 1.5}, {"字": 0}, {"幕": 0})

        assert said(lattice("实时字幕", "是字"), *places) == "实时字幕"

    def test_several_words_of_an_utterance_are_found(self) -> None:
        places = ({"汪": 0, "王": 1}, {"磊": 0}, {"说": 0}, {"字": 0}, {"说": 0, "幕": 2})

        assert said(lattice("王磊", "字幕"), *places) == "王磊说字幕"

    def test_nothing_heard_is_nothing_said(self) -> None:
        assert said(lattice("王磊")) == ""

    def test_where_nothing_is_written_a_word_goes_on(self) -> None:
        assert said(lattice("王磊"), {"汪": 0, "王": 0.6}, {"": 0}, {"磊": 0}) == "王磊"


class TestChunks:
    def test_a_word_that_began_in_an_earlier_chunk_goes_on(self) -> None:
        assert said(lattice("王磊"), {"类": 0, "磊": 2.3}, before="请王") == "磊"

    def test_what_was_written_earlier_stays(self) -> None:
        assert said(lattice("王磊"), {"类": 0, "磊": 2.3}, before="请汪") == "类"

    def test_what_was_written_long_ago_counts_no_more(self) -> None:
        assert said(lattice("王磊"), {"类": 0, "磊": 2.3}, before="王说") == "类"


class TestWordsOfLetters:
    def oss(self) -> HotwordLattice:
        return HotwordLattice([([number("o@@"), number("ss")], 2.0)], WRITTEN, CONTINUES)

    def test_pieces_become_the_word(self) -> None:
        assert said(self.oss(), {"他": 0, "o@@": 1}, {"s": 0, "ss": 1}) == "o@@ss"

    def test_no_word_begins_inside_another(self) -> None:
        assert said(self.oss(), {"o@@": 0}, {"o@@": 0.5, "s": 0}, {"s": 0, "ss": 1}) == "o@@ss"


class TestLanguage:
    def test_what_people_never_say_so_needs_more_to_be_a_hotword(self) -> None:
        class Strict(GreedySearch):
            asked: list[Told] = []

            def log_probabilities(self, texts: Sequence[Told]) -> list[float]:
                self.asked += texts
                return [-10.0 if number("磊") in text.tokens else 0.0 for text in texts]

        choices = heard(HEARD_WRONGLY)
        strict = Strict()
        found = lattice("王磊").choose(choices, GreedySearch().choose(choices), search=strict, is_end=True)

        assert "".join(TOKENS[token] for token in found) == "请汪类说"
        assert strict.asked == [
            Told([number("请")], [*map(number, "王磊说")], True),
            Told([number("请")], [*map(number, "汪类说")], True),
        ]


scores = st.floats(0, 8, width=32)
places = st.lists(st.fixed_dictionaries(dict.fromkeys("王汪磊类说", scores)), max_size=6)


@given(places)
def test_only_hotwords_are_written_that_were_not_chosen(heard_places: list[Place]) -> None:
    choices = heard(heard_places)
    chosen = GreedySearch().choose(choices)
    found = lattice("王磊", "磊说").choose(choices, chosen, search=GreedySearch())

    changed = [place for place, (one, other) in enumerate(zip(chosen, found, strict=True)) if one != other]
    text = "".join(TOKENS[token] for token in found)
    inside = {
        at + step
        for word in ("王磊", "磊说")
        for at in range(6)
        if text[at : at + 2] == word
        for step in (0, 1)
    }
    assert set(changed) <= inside
