"""Held-out sets, spoken on the spot: voices, sentences and a family of templates that training never hears.

A set follows from its name and seed alone. Every recording is a waveform, as a client would send it, with a
little silence around the speech.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from recognition.evaluation import recordings
from recognition.evaluation.measuring import Recording
from training import augmentation
from training.synthesis import HELD_OUT_VARIANTS, Manner, Synthesizer, Voice, in_fresh_process
from training.text import MeetingText, WordStrings, meeting_grammar, vocabulary


def closed(rng: Random) -> str:
    """Held-out sentences of families that training knows, and one in ten of the family that it does not."""
    if rng.random() < 0.1:
        return unseen_family(rng)
    text = MeetingText(rng, held_out=True)
    return text.sentence(text.grammar.choose(text.grammar.trained_families, rng))


def unseen_family(rng: Random) -> str:
    return MeetingText(rng, held_out=True).sentence(rng.choice(sorted(meeting_grammar().held_out)))


def open_vocabulary(rng: Random) -> str:
    """Held-out strings of words from all of the vocabulary."""
    return WordStrings(rng, set(vocabulary()), held_out=True).string() + "。"


def clean(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return audio


def noise_10db(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return augmentation.mix(audio, augmentation.coloured_noise(len(audio), rng), 10.0)


Text = Callable[[Random], str]
Surroundings = Callable[[np.ndarray, np.random.Generator], np.ndarray]

SETS: dict[str, tuple[Text, Surroundings]] = {
    "closed": (closed, clean),
    "family": (unseen_family, clean),
    "noise_10db": (closed, noise_10db),
    "open": (open_vocabulary, clean),
}


def make(name: str, *, count: int, seed: int = 0) -> list[Recording]:
    """`count` recordings of the set of that name, always the same ones for a seed."""
    return in_fresh_process(_make, name, count, seed)


def _make(name: str, count: int, seed: int) -> list[Recording]:
    write, surround = SETS[name]
    rng = Random(f"evaluation {name} {seed}")
    noise = np.random.default_rng([seed, len(name)])
    speaker = Synthesizer()
    spoken: list[Recording] = []
    while len(spoken) < count:
        text = write(rng)
        voice = held_out_voice(rng)
        audio = speaker.speak(text, voice, Manner(rate=rng.randint(130, 200)))
        audio = augmentation.padded(audio, 0.3, 0.4)
        audio = augmentation.at_level(surround(audio, noise), rng.uniform(-30, -18))
        spoken.append(Recording(audio, text, voice.variant))
    return spoken


def held_out_voice(rng: Random) -> Voice:
    """A held-out variant, a little shorter or longer, at its own pitch or near it."""
    return Voice(
        rng.choice(HELD_OUT_VARIANTS), 2 ** rng.uniform(-0.1, 0.1), rng.randint(35, 65), rng.randint(40, 70)
    )


def people(folder: Path, under: str) -> list[Recording]:
    """Real readings, as `recordings.listed` finds them, of those whose text is known.

    Args:
        folder: A folder of recordings with its manifest.
        under: How the wanted files' paths begin, such as "speech/aishell3/".
    """
    return [
        Recording(recordings.read(entry.path), entry.text, entry.speaker)
        for entry in recordings.listed(folder, under=under)
        if entry.text
    ]
