from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recognition.exceptions import ModelError
from recognition.whisper.ctranslate2_network import CTranslate2Network
from recognition.whisper.int8 import network
from recognition.whisper.int8.decoder import Next
from recognition.whisper.int8.network import OwnNetwork
from recognition.whisper.network import Hypothesis, Network, Search

from ..random_whisper import NAMES, write_whisper

pytestmark = pytest.mark.skipif(not network.is_supported(), reason="this CPU lacks the products")

START = [NAMES.index(f"<|{name}|>") for name in ("startoftranscript", "zh", "transcribe", "notimestamps")]
PROMPT = [NAMES.index("<|startofprev|>"), 70, 71, 72, *START]
FRAMES = 402

SPECIAL = frozenset(range(NAMES.index("<|endoftext|>") + 1, len(NAMES)))
"""What the library could write, but a trained network does not."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_whisper(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def own(directory: Path) -> OwnNetwork:
    return OwnNetwork(directory)


@pytest.fixture(scope="module")
def library(directory: Path) -> CTranslate2Network:
    return CTranslate2Network(directory, compute_type="float32")


def features(*seeds: int) -> list[np.ndarray]:
    return [np.random.default_rng(seed).normal(0, 0.5, (80, FRAMES)).astype(np.float32) for seed in seeds]


def heard(
    own: Network,
    seeds: Sequence[int],
    search: Search,
    *,
    prompt: list[int] = START,
    drafts: Sequence[Sequence[int]] = (),
    max_tokens: int = 20,
) -> list[Hypothesis]:
    prompts = [prompt] * len(seeds)
    found = own.decode(own.encode(features(*seeds)), prompts, search, max_tokens=max_tokens, drafts=drafts)
    return [alternatives[0] for alternatives in found]


def next_token(own: OwnNetwork, seed: int, ids: Sequence[int]) -> int:
    """The likeliest token behind these, read at once."""
    encoded = own.encode(features(seed))
    rows, _ = own._decoder.read(encoded.audio, own._decoder.nodes(), [Next(0, (), [*START, *ids])])
    last = rows.take([len(START) + len(ids) - 1])
    [[(token, _)]] = own._wanted(frozenset()).rank(last, [ids], 1.0, count=1, is_first=not ids)
    return token


def likeliest_along(own: OwnNetwork, seed: int, draft: Sequence[int]) -> list[int]:
    return [next_token(own, seed, draft[:count]) for count in range(len(draft))]


def held_slowly(own: OwnNetwork, seed: int, draft: Sequence[int], between: frozenset[int]) -> list[int]:
    """The draft with what stands between, one token after the other."""
    ids, rest = list[int](), list(draft)
    while True:
        token = next_token(own, seed, ids)
        if token in between and not (ids and ids[-1] in between):
            ids.append(token)
            if not rest:
                return ids
        elif rest:
            ids.append(rest.pop(0))
        else:
            return ids


class TestLibrary:
    """It computes what CTranslate2 computes, as far as 8 bits go."""

    def test_encodes_the_same(self, own: OwnNetwork, library: CTranslate2Network) -> None:
        found, expected = own.encode(features(1, 2)).encoding, np.array(library.encode(features(1, 2)))
        assert np.linalg.norm(found - expected) < 0.04 * np.linalg.norm(expected)

    @pytest.mark.parametrize("sounding", [0, 1, 100, 255, 256, 392, 401, 402])
    def test_silence_behind_the_speech_is_encoded_the_same_though_it_is_not_convolved(
        self, own: OwnNetwork, library: CTranslate2Network, sounding: int
    ) -> None:
        spoken = features(1, 2)
        spoken[0][:, sounding:], spoken[1][:, min(sounding, 50) :] = -0.4, -0.7
        found, expected = own.encode(spoken).encoding, np.array(library.encode(spoken))
        assert found.shape == expected.shape
        assert np.linalg.norm(found - expected) < 0.04 * np.linalg.norm(expected)

    @pytest.mark.parametrize("prompt", [START, PROMPT], ids=["alone", "behind a prompt"])
    @pytest.mark.parametrize("beam", [1, 3])
    def test_mostly_finds_the_same_text_and_is_as_sure_of_it(
        self, own: OwnNetwork, library: CTranslate2Network, beam: int, prompt: list[int]
    ) -> None:
        search = Search(beam, suppressed=SPECIAL)
        pairs = [
            [heard(each, [seed], search, prompt=prompt)[0] for each in (own, library)] for seed in range(12)
        ]
        same = [(ours, theirs) for ours, theirs in pairs if ours.ids == theirs.ids]
        assert len(same) >= 6
        for ours, theirs in same:
            assert ours.log_probability == pytest.approx(theirs.log_probability, abs=0.1)


class TestSearch:
    @pytest.mark.parametrize("beam", [1, 3])
    def test_no_text_depends_on_what_it_is_batched_with(self, own: OwnNetwork, beam: int) -> None:
        together = heard(own, [1, 2, 3], Search(beam=beam))
        assert together == [heard(own, [seed], Search(beam=beam))[0] for seed in (1, 2, 3)]

    @pytest.mark.parametrize("changed", range(5))
    def test_a_draft_changes_nothing_however_wrong_it_is(self, own: OwnNetwork, changed: int) -> None:
        [alone] = heard(own, [5], Search(beam=1))
        wrong = np.random.default_rng(changed).integers(0, 250, changed).tolist()
        with_more = [*alone.ids[:3], *wrong, *alone.ids[3:]]
        for draft in (alone.ids, wrong, with_more, alone.ids * 3, alone.ids[changed:]):
            [found] = heard(own, [5], Search(beam=1), drafts=[draft])
            assert found.ids == alone.ids
            assert found.log_probability == pytest.approx(alone.log_probability, abs=1e-4)

    def test_drafts_of_a_batch_belong_to_their_own_texts(self, own: OwnNetwork) -> None:
        alone = heard(own, [1, 2], Search(beam=1))
        drafts = [each.ids for each in alone]
        assert [each.ids for each in heard(own, [1, 2], Search(beam=1), drafts=drafts[::-1])] == drafts

    @pytest.mark.parametrize("seed", range(6))
    def test_a_text_that_is_held_to_its_draft_has_between_what_is_likeliest_there(
        self, own: OwnNetwork, seed: int
    ) -> None:
        draft = np.random.default_rng(seed).integers(0, 200, 30).tolist()
        between = frozenset(likeliest_along(own, seed, draft)[::3])
        search = Search(beam=1, repetition_penalty=1.0, between=between)
        [found] = heard(own, [seed], search, drafts=[draft], max_tokens=100)
        assert found.ids == held_slowly(own, seed, draft, between)
        assert len(found.ids) > len(draft)

    def test_texts_of_a_batch_are_held_to_their_own_drafts(self, own: OwnNetwork) -> None:
        drafts = [np.random.default_rng(seed).integers(0, 200, 5 * seed).tolist() for seed in (1, 2, 5)]
        likeliest = [likeliest_along(own, seed, draft) for seed, draft in zip((1, 2, 5), drafts, strict=True)]
        search = Search(beam=1, between=frozenset(likeliest[0][::2] + likeliest[2][::2]))
        together = heard(own, [1, 2, 5], search, drafts=drafts, max_tokens=100)
        alone = [
            heard(own, [seed], search, drafts=[draft], max_tokens=100)[0]
            for seed, draft in zip((1, 2, 5), drafts, strict=True)
        ]
        assert together == alone

    def test_nothing_is_held_to_nothing(self, own: OwnNetwork) -> None:
        [found] = heard(own, [1], Search(beam=1, between=frozenset([249])), drafts=[[]])
        assert found.ids == []

    @pytest.mark.parametrize("beam", [1, 2])
    def test_unwanted_tokens_do_not_come(self, own: OwnNetwork, beam: int) -> None:
        for _ in range(4):
            [before] = heard(own, [4], Search(beam=beam))
            unwanted = frozenset(before.ids)
            [after] = heard(own, [4], Search(beam=beam, suppressed=unwanted))
            assert not unwanted & set(after.ids)

    @pytest.mark.parametrize("seed", range(4))
    def test_a_text_begins_with_none_of_those_that_cannot_begin_it(self, directory: Path, seed: int) -> None:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        [found] = heard(OwnNetwork(directory), [seed], Search(beam=1))
        assert found.ids[0] not in config["suppress_ids_begin"]
        assert not set(found.ids) & set(config["suppress_ids"])

    @pytest.mark.parametrize("beam", [1, 3])
    @pytest.mark.parametrize("most", [1, 2, 7])
    def test_a_text_has_no_more_tokens_than_it_may(self, own: OwnNetwork, beam: int, most: int) -> None:
        assert len(heard(own, [6], Search(beam=beam), max_tokens=most)[0].ids) <= most

    def test_a_repetition_that_is_penalised_comes_less_often(self, own: OwnNetwork) -> None:
        def kinds(penalty: float) -> int:
            found = [heard(own, [seed], Search(1, penalty))[0].ids for seed in range(4)]
            return sum(len(set(ids)) for ids in found)

        assert kinds(3.0) > kinds(1.0)


class TestAlignment:
    @pytest.mark.parametrize("beam", [1, 3])
    def test_places_every_token_within_the_audio(self, own: OwnNetwork, beam: int) -> None:
        encoded = own.encode(features(1, 2))
        found = own.decode(encoded, [START, START], Search(beam=beam), max_tokens=12)
        hypotheses = [alternatives[-1] for alternatives in found]
        paths = own.align(encoded, START[:-1], hypotheses, [FRAMES, 200])
        for path, hypothesis, frames in zip(paths, hypotheses, (FRAMES, 200), strict=True):
            assert {token for token, _ in path} >= set(range(len(hypothesis.ids)))
            assert max(frame for _, frame in path) < frames // 2

    def test_without_text_there_is_nothing_to_place(self, own: OwnNetwork) -> None:
        assert own.align(own.encode(features(1)), START[:-1], [Hypothesis([], 0.0, 1.0)], [FRAMES]) == [[]]


class TestLanguages:
    def test_are_told_by_their_codes_and_add_up_to_one(self, own: OwnNetwork) -> None:
        [first, second] = own.languages(own.encode(features(1, 2)))
        assert set(first) == {"zh", "en"}
        assert sum(first.values()) == pytest.approx(1)
        assert first != second


class TestFiles:
    def test_a_missing_file_is_named(self, directory: Path, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"it has no config\.json"):
            OwnNetwork(tmp_path)

    @pytest.mark.parametrize("content", ["", "{}", "[]", '{"suppress_ids": 3}'])
    def test_a_description_of_something_else_is_refused(self, tmp_path: Path, content: str) -> None:
        (write_whisper(tmp_path / "w") / "config.json").write_text(content, encoding="utf-8")
        with pytest.raises(ModelError, match="no multilingual Whisper that can be read"):
            OwnNetwork(tmp_path / "w")
