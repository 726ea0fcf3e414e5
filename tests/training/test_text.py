"""What is written for training and for measuring, and that the two never meet."""

import functools
import re
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.evaluation.scoring import is_chinese, plain
from training import text
from training.text import MeetingText, WordStrings, is_held_out, sentences_of

seeds = st.integers(0, 10**9)


class TestNotation:
    def expansions(self, grammar: str, family: str = "greeting") -> set[str]:
        parsed = text.parse_grammar(grammar)
        return {parsed.sentence(Random(seed), family) for seed in range(200)}

    def test_choices_slots_and_nesting(self) -> None:
        grammar = "who: 你 他\n\n== greeting\n{who}(们|)(好|(早|晚)安)。\n"

        found = self.expansions(grammar)

        assert found == {f"{w}{p}{g}。" for w in "你他" for p in ("们", "") for g in ("好", "早安", "晚安")}

    def test_a_slot_may_have_patterns_of_its_own(self) -> None:
        assert self.expansions("++ who\n大家\n(各|诸)位\n== greeting\n{who}好。") == {
            "大家好。",
            "各位好。",
            "诸位好。",
        }

    def test_a_sentence_without_a_final_mark_gets_one(self) -> None:
        assert self.expansions("== greeting\n你好") == {"你好。"}

    def test_families_can_be_held_out(self) -> None:
        grammar = text.parse_grammar("== known\n好。\n== secret (held out)\n秘密。\n")

        assert grammar.trained_families == ["known"]
        assert grammar.held_out == {"secret"}

    def test_a_family_may_come_up_more_often(self) -> None:
        grammar = text.parse_grammar("== common x9\n好。\n== rare\n不好。\n")
        rng = Random(1)

        chosen = [grammar.choose(["common", "rare"], rng) for _ in range(1000)]

        assert chosen.count("common") == pytest.approx(900, abs=40)

    def test_comments_and_empty_lines_are_left_out(self) -> None:
        assert self.expansions("# a remark\n\n== greeting\n# another\n好。\n") == {"好。"}

    @pytest.mark.parametrize(
        ("grammar", "message"),
        [
            ("== greeting\n(你好\n", r"line 2 of the grammar, '\(你好': a bracket is not closed"),
            ("== greeting\n你好)\n", r"line 2 .*unexpected '\)'"),
            ("== greeting\n{who好\n", r"line 2 .*unexpected '{'"),
            ("你好\n", "line 1 .*a pattern before any family"),
            ("== greeting\n{nobody}好。\n", "no slot named 'nobody'"),
        ],
    )
    def test_errors_name_the_line(self, grammar: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            text.parse_grammar(grammar)


class TestMeetingGrammar:
    """The grammar that is shipped."""

    @pytest.fixture
    def grammar(self) -> Any:
        return text.meeting_grammar()

    def test_it_has_many_families_and_patterns(self, grammar: Any) -> None:
        assert len(grammar.families) >= 30
        assert sum(map(len, grammar.families.values())) >= 350

    def test_every_family_writes_sentences_that_end_in_a_mark(self, grammar: Any) -> None:
        for family in grammar.families:
            for seed in range(100):
                sentence = grammar.sentence(Random(seed), family)
                assert sentence[-1] in "。？"
                assert all(is_chinese(c) or c in text.MARKS for c in sentence)
                assert not re.search(r"[，。？、；]{2}", sentence)

    def test_the_vocabulary_holds_all_that_the_grammar_can_write(self) -> None:
        vocabulary = set(text.vocabulary())
        rng = Random(1)
        spoken = "".join(MeetingText(rng, held_out=bool(n % 2)).turn() for n in range(4000))

        assert set(plain(spoken)) - vocabulary == set()

    def test_the_vocabulary_is_sorted_and_without_repetition(self) -> None:
        vocabulary = text.vocabulary()

        assert list(vocabulary) == sorted(set(vocabulary))
        assert len(vocabulary) >= 1000

    def test_turns_vary(self) -> None:
        source = MeetingText(Random(2))
        turns = [source.turn() for _ in range(2000)]

        assert len(set(turns)) > 1850


class TestHeldOut:
    """Nothing that is measured with was ever trained on."""

    @given(seeds)
    @settings(max_examples=60)
    def test_training_text_has_no_held_out_sentence(self, seed: int) -> None:
        source = MeetingText(Random(seed))

        assert not any(is_held_out(sentence) for sentence in sentences_of(source.sentence()))

    @given(seeds)
    @settings(max_examples=60)
    def test_measuring_text_has_none_but_held_out_sentences(self, seed: int) -> None:
        source = MeetingText(Random(seed), held_out=True)
        family = Random(seed).choice(source.grammar.trained_families)

        assert any(is_held_out(sentence) for sentence in sentences_of(source.sentence(family)))

    def test_no_training_sentence_comes_from_the_held_out_family(self) -> None:
        grammar = text.meeting_grammar()
        (family,) = grammar.held_out
        secret = {plain(grammar.sentence(Random(seed), family)) for seed in range(3000)}
        source = MeetingText(Random(3))
        trained = {plain(source.sentence()) for _ in range(3000)}

        assert secret & trained == set()

    @given(seeds)
    @settings(max_examples=40)
    def test_word_strings_of_training_and_measuring_are_disjoint(self, seed: int) -> None:
        for held_out in (False, True):
            string = word_strings(held_out, seed).string()
            assert is_held_out(string) == held_out

    def test_the_sentences_of_the_sample_meeting_are_held_out(self) -> None:
        lines = text.SAMPLE_MEETING.read_text(encoding="utf-8").splitlines()
        spoken = [line.split("：", 1)[1] for line in lines if "：" in line and not line.startswith("#")]
        assert len(spoken) > 15

        for sentence in (s for line in spoken for s in sentences_of(line)):
            assert is_held_out(sentence) or len(plain(sentence)) < 6

    def test_marks_do_not_decide_what_is_held_out(self) -> None:
        for sentence in ("今天的会议到此结束。", "我们下周一上午九点半再见。"):
            assert is_held_out(sentence) == is_held_out(plain(sentence))

    def test_about_one_sentence_in_sixteen_is_held_out(self) -> None:
        grammar = text.meeting_grammar()
        rng = Random(4)
        sentences = {grammar.sentence(rng, "progress") for _ in range(6000)}
        share = sum(map(is_held_out, sentences)) / len(sentences)

        assert share == pytest.approx(1 / 16, abs=0.02)


class TestWordString:
    def test_strings_keep_to_the_vocabulary(self) -> None:
        rng = Random(5)
        source = WordStrings(rng, set(text.vocabulary()))

        strings = [source.string() for _ in range(500)]

        assert set("".join(strings)) - set(text.vocabulary()) == set()
        assert all(2 <= len(string) <= 16 for string in strings)

    def test_strings_reach_most_of_the_vocabulary(self) -> None:
        source = WordStrings(Random(6), set(text.vocabulary()))
        reached = set("".join(source.string() for _ in range(6000)))

        assert len(reached) > 0.95 * len(text.vocabulary())


class TestPiece:
    def test_plain_leaves_characters_only(self) -> None:
        assert plain("好的，我们OK开始 吧。") == "好的我们开始吧"

    def test_sentences_keep_their_marks(self) -> None:
        assert sentences_of("好的。开始吗？我说，等等") == ["好的。", "开始吗？", "我说，等等"]


@functools.cache
def _strings(held_out: bool) -> WordStrings:
    """One source for all examples: reading the dictionary takes a second."""
    return WordStrings(Random(0), set(text.vocabulary()), held_out=held_out)


def word_strings(held_out: bool, seed: int) -> WordStrings:
    source = _strings(held_out)
    source.rng.seed(seed)
    return source
