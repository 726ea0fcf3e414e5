"""Hotwords: places of names and terms that are found, at what error rate, and words that nobody said.

    python -m benchmarks.hotwords [--people FOLDER [--models-dir DIR]] [--seaco FOLDER]

The sample meeting, line by line, by the embedded models, clean and in white noise, with and without their
language model, by both passes: without hotwords, with 15 words that are said in it, and with 2,300, nearly
all of them invented names and chance strings. The product refuses more than 1,000; this measures the core.

With recordings of people, as in `recognition.evaluation.recordings`, also Whisper on Mandarin of AISHELL:
with the rare words of what is said in them, and with 2,300; and beside Whisper's own prompt, for each line
with as many of the rare words as the prompt holds, those of the line among them.

With a folder of full-size models (`full_size_models`, made where they are missing), also what SeACo's own
decoder for hotwords costs a line. What it finds cannot be told without real weights.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from rapidfuzz.distance import Levenshtein

from recognition.audio import SAMPLE_RATE, samples
from recognition.core import words as dictionary
from recognition.evaluation.conditions import noisy
from recognition.evaluation.recordings import Recorded, listed, read
from recognition.evaluation.scoring import is_chinese, plain
from recognition.funasr.deciding import TokenDecider
from recognition.funasr.offline import OfflineParaformer
from recognition.funasr.options import ParaformerOptions
from recognition.funasr.streaming import StreamingParaformer
from recognition.funasr.vocabulary import Vocabulary
from recognition.hotwords import MAX_HOTWORDS, Hotword, Hotwords
from recognition.interfaces import SessionContext, Token
from recognition.language_model import Choices
from recognition.model_options import LoadContext
from recognition.model_sets.loading import load_models
from recognition.model_sets.reading import read_model_set
from recognition.sounding_hotwords import SoundingHotwords
from recognition.whisper.listening import Utterance
from recognition.whisper.network import Search
from recognition.whisper.offline import OfflineWhisper
from recognition.whisper.vocabulary import Vocabulary as WhisperVocabulary

from . import results
from .full_size_models import WRITERS

SAMPLE = Path("sessions_app/sample")

WORDS = [
    *("王磊", "实时字幕", "提测", "预算", "服务器", "内存", "模型", "准确率"),
    *("供应商", "合同", "需求文档", "延迟", "毫秒", "例会", "方案"),
]
"""That are said, some of them several times."""

SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗"
NAMES, ALL = 300, 2300

SNRS_DB = (None, 10, 5)
SEEDS = 4
"""Noises of each loudness."""

PEOPLE, MIN_LENGTH = 150, 8
"""Lines of people, and the characters that each has at least."""

PROMPT = 200
"""Tokens of words in a prompt of Whisper's, which holds 223."""

RARE = -13.0
"""Log probability of words that are rarer than most."""

MARGIN = samples(0.25)
ROUNDS = 9
SEACO_ROUNDS = 5

GOAL_MISSES_FOUND = 0.5
GOAL_MS_A_LINE = 0.5


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line as it is recorded, and what is said in it."""

    audio: np.ndarray
    text: str


@dataclass(slots=True)
class Count:
    """Places of the words that are said, and errors."""

    words: Sequence[str]
    places: int = 0
    found: int = 0
    false: int = 0
    errors: int = 0
    characters: int = 0

    def add(self, said: str, got: str, words: Iterable[str]) -> None:
        """Count a line."""
        said, got = plain(said), plain(got)
        self.errors += Levenshtein.distance(said, got)
        self.characters += len(said)
        for word in self.words:
            self.places += said.count(word)
            self.found += min(said.count(word), got.count(word))
        self.false += sum(max(0, got.count(word) - said.count(word)) for word in words if word in got)

    @property
    def row(self) -> dict[str, float]:
        """Return it as figures."""
        return {
            "cer": round(self.errors / self.characters, 4),
            "found": self.found,
            "places": self.places,
            "false": self.false,
        }


def lines(snr_db: float | None) -> Iterator[Spoken]:
    """Yield the lines of the sample meeting, in as many noises as are measured."""
    reference = json.loads((SAMPLE / "reference.json").read_text(encoding="utf-8"))
    audio = soundfile.read(SAMPLE / "meeting.flac", dtype="float32")[0]
    for seed in range(SEEDS if snr_db is not None else 1):
        rng = np.random.default_rng(seed)
        for line in reference["lines"]:
            start, end = (int(line[name] * SAMPLE_RATE) for name in ("start", "end"))
            own = audio[max(0, start - MARGIN) : end + MARGIN]
            if snr_db is not None:
                own = noisy(own, rng.standard_normal(len(own)).astype(np.float32), snr_db)
            yield Spoken(own, line["text"])


def lists(tokens: Sequence[str], said: str) -> dict[int, list[str]]:
    """Return the lists of words by their length: none, those that are said, and with those that are not."""
    characters = [token for token in tokens if len(token) == 1 and is_chinese(token)]
    return {0: [], len(WORDS): list(WORDS), ALL: [*WORDS, *others(characters, said, ALL - len(WORDS))]}


def others(characters: Sequence[str], said: str, count: int) -> list[str]:
    """Return invented names and chance strings of these characters that are not said."""
    rng = random.Random(1)
    surnames = [name for name in SURNAMES if name in characters]
    found: dict[str, None] = {}
    while len(found) < count:
        is_name = len(found) < NAMES
        first = rng.choice(surnames if is_name else characters)
        word = first + "".join(rng.choices(characters, k=rng.choice((1, 2) if is_name else (1, 1, 2, 3))))
        if word not in said:
            found[word] = None
    return list(found)


def context(words: Sequence[str]) -> SessionContext:
    """Return that of a session with these hotwords."""
    return SessionContext(hotwords=Hotwords(tuple(map(Hotword, words))) if words else None)


def second_pass(offline: OfflineParaformer, spoken: Spoken, session: SessionContext) -> str:
    """Return a line by the second pass."""
    [tokens] = offline.recognize([spoken.audio], [session])
    return "".join(token.text for token in tokens)


def first_pass(streaming: StreamingParaformer, spoken: Spoken, session: SessionContext) -> str:
    """Return a line by the first pass."""
    chunks = -(-len(spoken.audio) // streaming.chunk)
    audio = np.zeros((chunks + 1) * streaming.chunk, np.float32)
    audio[: len(spoken.audio)] = spoken.audio
    state = streaming.new_state(session)
    pieces = [piece for each in np.split(audio, chunks + 1) for piece in streaming.decode([(state, each)])[0]]
    streaming.release(state)
    return "".join(pieces)


class Noting(TokenDecider):
    """A decider that keeps what it was asked, to be asked again against the clock."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__(vocabulary, None)
        self.asked: list[Choices] = []

    def choose(
        self,
        choices: Choices,
        context: SessionContext | None,
        before: Sequence[int] = (),
        *,
        is_end: bool = False,
    ) -> list[int]:
        self.asked.append(choices)
        return super().choose(choices, context, before, is_end=is_end)


def measure() -> dict[str, Any]:
    """Return all figures of the embedded models."""
    models = load_models(read_model_set("embedded"), Path("var/models"))
    offline, streaming = models.offline, models.streaming
    assert isinstance(offline, OfflineParaformer)
    assert isinstance(streaming, StreamingParaformer)
    vocabulary = offline.vocabulary
    bare = TokenDecider(vocabulary, None)
    words = lists(vocabulary.tokens, "".join(line.text for line in lines(None)))
    table: dict[str, dict[str, float]] = {}
    added: list[float] = []
    for name, decider in (("language model", offline.decider), ("no language model", bare)):
        offline.decider = streaming.decider = decider
        for snr_db in SNRS_DB:
            asked = list(lines(snr_db))
            for count, own in words.items():
                session = context(own)
                for title in ("final", "partial"):
                    counted = Count(WORDS)
                    for line in asked:
                        got = (
                            second_pass(offline, line, session)
                            if title == "final"
                            else first_pass(streaming, line, session)
                        )
                        counted.add(line.text, got, own)
                    condition = "clean" if snr_db is None else f"{snr_db} dB"
                    table[f"{condition}, {name}, {title}, {count} words"] = counted.row
            added.append(_added_ms(offline, decider, asked, context(words[ALL])))
    return {"table": table, "ms_a_line": round(max(added), 3), **summary(table)}


def _added_ms(
    offline: OfflineParaformer, decider: TokenDecider, asked: Sequence[Spoken], session: SessionContext
) -> float:
    """Return the processor's time that so many words cost a line, besides what it costs without."""
    offline.decider = noting = Noting(offline.vocabulary)
    offline.recognize([line.audio for line in asked])
    offline.decider = decider
    assert session.hotwords
    lattice = decider.lattice(session.hotwords)
    pairs = [(choices, decider.search.choose(choices, is_end=True)) for choices in noting.asked]
    rounds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for choices, chosen in pairs:
            lattice.choose(choices, chosen, search=decider.search, is_end=True)
        rounds.append(1000 * (time.process_time() - begun) / len(pairs))
    return sorted(rounds)[ROUNDS // 2]


def summary(table: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return the figures with goals, of finals with the longest list."""
    without = {
        key.removesuffix(", 0 words"): row for key, row in table.items() if key.endswith("final, 0 words")
    }
    missed = found = 0.0
    for key, row in without.items():
        missed += row["places"] - row["found"]
        found += table[f"{key}, {ALL} words"]["found"] - row["found"]
    false = sum(
        row["false"] for key, row in table.items() if key.startswith("10 dB") and f"final, {ALL}" in key
    )
    partial = sum(
        row["false"] for key, row in table.items() if key.startswith("10 dB") and f"partial, {ALL}" in key
    )
    return {
        "false_words_10db": false,
        "false_words_in_partials_10db": partial,
        "misses_found_share": round(found / missed, 2),
    }


def measure_people(folder: Path, models_dir: Path) -> dict[str, Any]:
    """Return figures of Whisper on people: words are written by their sound, so it hears each line once."""
    source = read_model_set("people").sources["offline"]
    directory = source.directory(models_dir)
    assert directory
    offline = source.options.load(LoadContext(directory))
    assert isinstance(offline, OfflineWhisper)
    recorded = [each for each in listed(folder) if each.text and "aishell" in str(each.path)]
    random.Random(0).shuffle(recorded)
    chosen = [each for each in recorded if len(plain(each.text or "")) >= MIN_LENGTH][:PEOPLE]
    heard = [
        (each.text or "", offline.recognize([read(each.path)], [SessionContext("zh")])[0]) for each in chosen
    ]
    said = "".join(text for text, _ in heard)
    words = rare_words(text for text, _ in heard)
    characters = sorted({character for character in said if is_chinese(character)})
    table = {}
    for own in ([], words, [*words, *others(characters, said, ALL - len(words))]):
        compiled = SoundingHotwords(Hotwords(tuple(map(Hotword, own))))
        counted = Count(words)
        for text, tokens in heard:
            counted.add(text, "".join(token.text for token in compiled.written(tokens)), own)
        table[f"people, Whisper, final, {len(own)} words"] = counted.row
    without, with_words, with_all = table.values()
    missed = without["places"] - without["found"]
    prompts = beside_prompt(offline, chosen, heard, words)
    return {
        "people_lines": len(heard),
        "people_misses_found_share": round((with_words["found"] - without["found"]) / missed, 2),
        "people_false_words": with_words["false"],
        "people_false_words_of_2300": with_all["false"],
        "people_prompt_misses_found_share": round(
            (prompts["Whisper's prompt"]["found"] - without["found"]) / missed, 2
        ),
        "people_table": table | {f"people, Whisper, final, {name}": row for name, row in prompts.items()},
    }


def beside_prompt(
    offline: OfflineWhisper,
    chosen: Sequence[Recorded],
    heard: Sequence[tuple[str, list[Token]]],
    words: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return what the same lists, each with the words of its line, find by sound and as Whisper's prompt."""
    rng = random.Random(2)
    by_sound, by_prompt = Count(words), Count(words)
    for each, (text, tokens) in zip(chosen, heard, strict=True):
        said = [word for word in words if word in plain(text)]
        own = fitting(offline.listener.vocabulary, [*said, *rng.sample(words, len(words))])
        compiled = SoundingHotwords(Hotwords(tuple(map(Hotword, own))))
        by_sound.add(text, "".join(token.text for token in compiled.written(tokens)), own)
        by_prompt.add(text, prompted(offline, read(each.path), own), own)
    return {"as many as a prompt holds": by_sound.row, "Whisper's prompt": by_prompt.row}


def fitting(vocabulary: WhisperVocabulary, words: Sequence[str]) -> list[str]:
    """Return as many of these words, the first ones, as a prompt has room for, sorted."""
    own: list[str] = []
    for word in dict.fromkeys(words):
        if len(vocabulary.prompted("zh", "，".join([*own, word]))) > PROMPT:
            break
        own.append(word)
    return sorted(own)


def prompted(offline: OfflineWhisper, audio: np.ndarray, words: Sequence[str]) -> str:
    """Return what Whisper hears behind a prompt of these words."""
    listener, utterance = offline.listener, Utterance(audio, SessionContext("zh"))
    prompt = listener.vocabulary.prompted("zh", "，".join(words))
    encoded = listener.encode([utterance])
    [found] = listener.decode(encoded, "zh", [utterance], Search(), prompt)
    return "".join(token.text for token in listener.vocabulary.words(found.ids))


def measure_seaco(folder: Path) -> dict[str, Any]:
    """Return the processor's time that SeACo's decoder for hotwords adds to a line, by the list's length."""
    directory = folder / "paraformer-zh"
    if not (directory / "model.pt").is_file():
        WRITERS["paraformer-zh"](directory)
    offline = ParaformerOptions(hotwords="seaco").load(LoadContext(directory))
    spoken = list(lines(None))
    characters = [token for token in read_tokens(directory) if len(token) == 1 and is_chinese(token)]
    words = others(characters, "", ALL)
    costs: dict[int, list[float]] = {count: [] for count in (0, len(WORDS), MAX_HOTWORDS)}
    sessions = {count: context(words[:count]) for count in costs}
    for number in range(SEACO_ROUNDS + 1):
        for count, session in sessions.items():
            begun = time.process_time()
            for line in spoken:
                offline.recognize([line.audio], [session])
            if number:  # before, lists are read for the first time
                costs[count].append(1000 * (time.process_time() - begun) / len(spoken))
    alone, *others_cost = (sorted(own)[len(own) // 2] for own in costs.values())
    return {
        f"seaco_ms_a_line_{count}": round(cost - alone, 1)
        for count, cost in zip(list(costs)[1:], others_cost, strict=True)
    } | {"seaco_line_without_ms": round(alone, 1)}


def read_tokens(directory: Path) -> list[str]:
    """Return the vocabulary of a model."""
    return [str(token) for token in json.loads((directory / "tokens.json").read_text(encoding="utf-8"))]


def rare_words(texts: Iterable[str]) -> list[str]:
    """Return words of texts that people would name as hotwords: neither usual nor single characters."""
    known = dictionary.load()
    found = (word for text in texts for word in known.guess(plain(text)))
    return list(
        dict.fromkeys(word for word in found if 2 <= len(word) <= 5 and known.log_probability(word) < RARE)
    )


def of(figures: dict[str, Any], beginning: str) -> dict[str, Any]:
    """Return the figures of one part."""
    return {key: value for key, value in figures.items() if key.startswith(beginning)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--people", type=Path, metavar="FOLDER", help="recordings with what is said in them")
    parser.add_argument("--models-dir", type=Path, default=Path("var/models"))
    parser.add_argument("--seaco", type=Path, metavar="FOLDER", help="of full-size models")
    options = parser.parse_args()
    torch.set_num_threads(1)
    before = results.read("hotwords")
    people = measure_people(options.people, options.models_dir) if options.people else of(before, "people_")
    seaco = measure_seaco(options.seaco) if options.seaco else of(before, "seaco_")
    figures = measure() | people | seaco
    path = results.write("hotwords", figures)
    for key, row in figures["table"].items():
        print(f"{key}: CER {row['cer']:.1%}, {row['found']} of {row['places']}, {row['false']} false")
    print(
        f"hotwords: {figures['misses_found_share']:.0%} of the misses found (goal {GOAL_MISSES_FOUND:.0%}), "
        f"{figures['false_words_10db']:.0f} false words at 10 dB (goal 0), "
        f"{figures['ms_a_line']:.2f} ms a line with {ALL} words (goal {GOAL_MS_A_LINE}) -> {path}"
    )


if __name__ == "__main__":
    main()
