"""How much of everything: the full recipe of the embedded models, for a processor and for a graphics card,
and one of minutes as a proof."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.language_model import LanguageRecipe
from training.punctuation import PunctuationRecipe, PunctuationShape
from training.recogniser import Recipe, Shape
from training.speaker import SpeakerRecipe, SpeakerShape


@dataclass(frozen=True, slots=True)
class Plan:
    shards: int = 120
    utterances: int = 750
    """In a shard; they are about 50 minutes."""

    shape: Shape = field(default_factory=Shape)
    recogniser: Recipe = field(default_factory=Recipe)
    language_model: LanguageRecipe = field(default_factory=LanguageRecipe)
    punctuation_shape: PunctuationShape = field(default_factory=PunctuationShape)
    punctuation: PunctuationRecipe = field(default_factory=PunctuationRecipe)
    speaker_shape: SpeakerShape = field(default_factory=SpeakerShape)
    speaker: SpeakerRecipe = field(default_factory=SpeakerRecipe)


FULL = Plan()

ACCELERATED = Plan(
    recogniser=Recipe(
        steps=6000, peak_rate=2e-3, warmup=150, batch_frames=60_000, checkpoint_every=500, averaging=0.998
    ),
    speaker=SpeakerRecipe(steps=8000, audio_s=300.0, longest_s=3.0, checkpoint_every=500),
)
"""The full recipe in fewer and larger steps, for a graphics card."""

QUICK = Plan(
    shards=1,
    utterances=80,
    shape=Shape(width=64, heads=2, feed_forward=128, encoder_blocks=2, decoder_blocks=1),
    recogniser=Recipe(steps=80, peak_rate=5e-3, warmup=15, batch_frames=3000, checkpoint_every=40),
    language_model=LanguageRecipe(texts=2000),
    punctuation_shape=PunctuationShape(width=64, heads=2, feed_forward=128, blocks=1),
    punctuation=PunctuationRecipe(steps=150, warmup=30, turns=24, checkpoint_every=75),
    speaker_shape=SpeakerShape(embedding=32, channels=32, attention=16),
    speaker=SpeakerRecipe(
        steps=80, warmup=10, margin=0.0, scale=10.0, audio_s=8.0, made_voices=4, checkpoint_every=40
    ),
)

QUICK_BOUNDS = {"recogniser": 5.0, "punctuation": 0.8, "speaker": 1.1}
"""Losses that the quick plan must have come down to: about half of those that it starts with."""
