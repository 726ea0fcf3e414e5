"""The cards of the embedded models: what each is, what it was made of, how well it does, and where it ends."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from training import recordings, speaker
from training.corpus import read_shard, shard_paths

Figures = Mapping[str, float | None]

RECOGNISER = """# Small streaming Paraformer

{parameters} parameters in half precision, one weights file for both passes: `streaming/` (FunASR's
`ParaformerStreaming`, chunks of 600 ms with 300 ms of look-ahead) and `offline/` (`Paraformer`). It writes
{tokens} characters of Mandarin; numbers come as they are spoken.

## What it is for

It proves an installation: `make run`, the tests, the demonstration and the benchmarks exercise with it what production
runs. It understands meeting Mandarin of the kinds of sentences it was trained on, in **synthetic voices**.
It is no recogniser of people: see the figures. For people, choose `ASR_MODELS=paraformer-zh`.

## Data and licences

- {hours:.0f} hours of speech of the project's own making: sentences of its own grammar (`training/meeting.txt`) and strings of
  words, spoken by espeak-ng {espeak} (GPL-3; a tool, its output is not covered) in {voices} voices, in made-up
  rooms, noise and microphones. Pinyin by pypinyin (MIT), words of the strings from jieba's dictionary (MIT).
- Recordings of people: none.

The weights are under the project's licence (MIT).

## Recipe

`make train` (`python -m training data recogniser export`), at commit {commit}: {steps:,} steps of about 40 s of speech;
Paraformer's loss, CTC over characters, and CTC over pinyin; chunked and whole utterances mixed. Held out: nine
voices, the three voices of the sample meeting, one sentence in sixteen, and a whole family of sentences.

## Figures

Measured from the audio through the whole recognition path by `manage.py models check`; character error rates.

| what | figure |
|---|---|
| unseen voices, unseen sentences, final text | {cer_unseen_voices} |
| the same, partial text | {cer_partials} |
| the same with noise at 10 dB | {cer_noise_10db} |
| a family of sentences that training never saw | {cer_unseen_family} |
| open vocabulary (strings of words) | {cer_open} |
| the sample meeting | {sample_meeting_cer} |
| people reading aloud (AISHELL-3, 30 speakers) | {cer_people} |
| one person reading aloud (AISHELL-1, S0150) | {cer_one_person} |
| processor time per second of audio, one core, the whole chain | {rtf} |

## Limits

Synthetic voices, a closed domain, Mandarin only, no Latin letters or digits. What lies outside the grammar comes out as
something inside it. Do not judge recognition by it, and do not use it for minutes of real meetings.
"""

PUNCTUATION = """# Small CT-Transformer for punctuation

{parameters} parameters in half precision; FunASR's `CTTransformer`. It sets commas, full stops, question marks and
enumeration commas between {tokens} characters of Mandarin.

## Data and licences

Sentences of the project's own grammar (`training/meeting.txt`), with four characters in a hundred replaced at random, as a
recogniser would. No other text. The weights are under the project's licence (MIT).

## Recipe

`python -m training punctuation export` at commit {commit}: {steps:,} steps of 48 turns. Held out: one sentence in sixteen, and
a whole family of sentences.

## Figures

F1 of commas, full stops and question marks, each counted with its kind, on held-out sentences: {punctuation_f1}
(`manage.py models check`).

## Limits

It knows the sentences of its grammar and what is like them. Other text gets marks where it resembles those.
"""

SPEAKER = """# Small CAM++ for voices

{parameters} parameters in half precision; FunASR's `CAMPPlus`: an embedding of {dimension} numbers of a piece of speech.

## Data and licences

{people} people and {made_voices} voices made with espeak-ng (GPL-3; a tool, its output is not covered). The recordings
of people are not part of the project; what the model learned of them is.

{sources}

Each person counts three times, at speeds of 0.9, 1 and 1.1. The weights are under the project's licence (MIT).

## Recipe

`python -m training speaker export` at commit {commit}: {steps:,} steps of 64 s in crops of one to three seconds, each in other
rooms, noise and microphones; additive angular margin.

## Figures

Equal error rates, with the score (cosine) at which they are reached and the score that one pair of strangers in a hundred
reaches. People: ten speakers of LibriSpeech test-other, never trained on, pairs never from one recording.

| speech | error rate | score there | score of 1 in 100 strangers |
|---|---|---|---|
{eers}

Synthetic voices that training never heard, 3 s: {eer_synthetic_3s}.

## Limits

Most people it learned from read English aloud, and ten people make a rough figure. A second of speech tells
little. The score that separates people depends on length and channel: calibrate on voices of your own
(`manage.py calibrate_speakers`).
"""


def write_cards(folder: Path, work: Path, people: Sequence[Path], figures: Figures) -> None:
    """Write `CARD.md` beside each exported model.

    Args:
        folder: Of the exported models.
        work: Where the checkpoints and the corpus lie.
        people: The folders of recordings that the speaker embedding was trained with.
        figures: What `checking.check` found.
    """
    facts = {"commit": _commit()} | {name: _worded(name, figure) for name, figure in figures.items()}
    recogniser = torch.load(work / "recogniser" / "checkpoint.pt", weights_only=True)
    marks = torch.load(work / "punctuation" / "checkpoint.pt", weights_only=True)
    voices = torch.load(work / "speaker" / "checkpoint.pt", weights_only=True)
    shards = [read_shard(path) for path in shard_paths(work / "corpus")]
    _write(
        folder / "paraformer",
        RECOGNISER,
        facts,
        tokens=len(recogniser["characters"]),
        steps=recogniser["step"],
        hours=sum(len(shard.frames) for shard in shards) / 360_000,
        voices=len({utterance.voice for shard in shards for utterance in shard.utterances}),
        espeak=_espeak_version(),
    )
    _write(folder / "punctuation", PUNCTUATION, facts, tokens=len(marks["characters"]), steps=marks["step"])
    _write(
        folder / "speaker",
        SPEAKER,
        facts,
        steps=voices["step"],
        dimension=voices["shape"]["embedding"],
        made_voices=voices["recipe"]["made_voices"],
        people=voices["people"],
        sources=_sources(people),
        eers="\n".join(_eer_row(facts, seconds) for seconds in (1, 2, 3, 5)),
    )


def _write(folder: Path, template: str, facts: Mapping[str, str], **more: Any) -> None:
    weights = torch.load(folder / "model.pt", weights_only=True)
    count = sum(value.numel() for value in weights.values())
    text = template.format(parameters=f"{count / 1e6:.2f} million", **facts, **more)
    (folder / "CARD.md").write_text(text, encoding="utf-8")


def _worded(name: str, figure: float | None) -> str:
    if figure is None:
        return "not measured"
    return f"{figure:.3f}" if name.startswith("score") or name == "rtf" else f"{100 * figure:.1f} %"


def _eer_row(facts: Mapping[str, str], seconds: int) -> str:
    columns = (f"eer_{seconds}s", f"score_at_eer_{seconds}s", f"score_at_1_in_100_{seconds}s")
    return f"| {seconds} s | " + " | ".join(facts.get(name, "not measured") for name in columns) + " |"


def _sources(folders: Sequence[Path]) -> str:
    """One line for each licence: who released the recordings, and how many voices there are of it."""
    voices: dict[str, set[str]] = {}
    for folder in folders:
        for entry in recordings.listed(folder):
            if speaker.TEST_PEOPLE in str(entry.path):
                continue
            voices.setdefault(entry.licence or "licence not stated", set()).add(entry.speaker)
    if not voices:
        return "- none"
    return "\n".join(f"- {licence}: {len(names)} speakers" for licence, names in sorted(voices.items()))


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def _espeak_version() -> str:
    found = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=False)
    return next((word for word in found.stdout.split() if word[:1].isdigit()), "")
