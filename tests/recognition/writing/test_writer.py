"""The whole, with wetext: our own test set, and the care taken around it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.itn import Sentence, sentences, written
from recognition.writing import idioms, writer
from recognition.writing.changes import Change
from recognition.writing.writer import Writer

MAX_WRONG_SHARE = 0.03


@pytest.fixture(scope="module")
def wrong() -> list[Sentence]:
    return [sentence for sentence in sentences() if written(sentence.spoken) != sentence.expected]


class TestSentences:
    def test_are_enough_to_tell(self) -> None:
        said = sentences()
        assert len(said) >= 200
        assert sum(sentence.part == "idioms" for sentence in said) >= 60
        assert len({sentence.spoken for sentence in said}) == len(said)

    def test_are_hardly_ever_wrong(self, wrong: list[Sentence]) -> None:
        assert len(wrong) <= MAX_WRONG_SHARE * len(sentences()), wrong

    def test_idioms_stay_as_they_are(self, wrong: list[Sentence]) -> None:
        assert [sentence.spoken for sentence in wrong if sentence.part == "idioms"] == []

    def test_what_is_written_already_is_not_changed_again(self) -> None:
        again = [
            sentence.expected for sentence in sentences() if written(sentence.expected) != sentence.expected
        ]
        assert again == []


class TestWriter:
    @pytest.mark.parametrize(
        "text", ["", "。", " ", "好的。", "OK.", 'a{b}"c\\十二', "𠮷野家十二点半", "百分之", "点", "十"]
    )
    def test_any_text_is_taken(self, text: str) -> None:
        written(text)

    def test_texts_of_several_threads_do_not_mix(self) -> None:
        said = sentences()[:60]
        alone = [written(sentence.spoken) for sentence in said]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda sentence: written(sentence.spoken), said)) == alone

    def test_is_loaded_once_however_many_ask_at_first(self) -> None:
        found: list[Writer] = []
        threads = [threading.Thread(target=lambda: found.append(writer.load())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(each) for each in found}) == 1

    def test_lines_without_numbers_are_not_tagged(self) -> None:
        asked: list[str] = []

        def tag(text: str, language: str) -> str:
            asked.append(text)
            return ""

        quiet = Writer(tag, str, frozenset())
        assert quiet.changes("大家好，我们开始吧。One of them is late.") == []
        assert asked == []

    def test_a_clause_knows_its_place_in_the_line(self) -> None:
        assert writer.load().changes("好的，十二个人。") == [Change(3, 5, "12")]


class TestIdioms:
    def test_have_numbers_and_are_no_shares(self) -> None:
        known = idioms.load()
        assert {"一心一意", "五十步笑百步"} <= known
        assert not any(word.startswith("百分之") for word in known)
        assert "二十四小" not in known
