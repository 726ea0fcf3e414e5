"""The cards of the embedded models: what each is, is made of and can do; the text is in `card_templates/`."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from recognition.evaluation import recordings
from training import speaker
from training.corpus import read_shard, shard_paths

Figures = Mapping[str, float | None]

_TEMPLATES = Path(__file__).with_name("card_templates")


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
        facts,
        tokens=len(recogniser["characters"]),
        steps=recogniser["step"],
        hours=sum(len(shard.frames) for shard in shards) / 360_000,
        voices=len({utterance.voice for shard in shards for utterance in shard.utterances}),
        espeak=_espeak_version(),
    )
    _write(folder / "punctuation", facts, tokens=len(marks["characters"]), steps=marks["step"])
    _write(
        folder / "speaker",
        facts,
        steps=voices["step"],
        dimension=voices["shape"]["embedding"],
        made_voices=voices["recipe"]["made_voices"],
        people=voices["people"],
        sources=_sources(people),
        eers="\n".join(_eer_row(facts, seconds) for seconds in (1, 2, 3, 5)),
    )


def write_language_model_card(folder: Path, texts: int, counts: Sequence[int]) -> None:
    """Write `CARD.md` beside the language model.

    Args:
        texts: That were counted.
        counts: N-grams of each order.
    """
    words, bigrams, trigrams = counts
    _fill(folder, commit=_commit(), texts=texts, words=words, bigrams=bigrams, trigrams=trigrams)


def _write(folder: Path, facts: Mapping[str, str], **more: Any) -> None:
    weights = torch.load(folder / "model.pt", weights_only=True)
    count = sum(value.numel() for value in weights.values())
    _fill(folder, parameters=f"{count / 1e6:.2f} million", **facts, **more)


def _fill(folder: Path, **facts: Any) -> None:
    """The card of the model in this folder, from the template of its name."""
    template = (_TEMPLATES / f"{folder.name}.md").read_text(encoding="utf-8")
    (folder / "CARD.md").write_text(template.format(**facts), encoding="utf-8")


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
    return _said_by("git", "rev-parse", "--short", "HEAD")


def _espeak_version() -> str:
    return next((word for word in _said_by("espeak-ng", "--version").split() if word[:1].isdigit()), "")


def _said_by(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
