"""Followers of speakers: what refers to them elsewhere, and must go with them. None is known by name here.

Each is called in the transaction of the change, so that either both happen or neither.
"""

from __future__ import annotations

from typing import Protocol

from .models import Speaker


class SpeakerFollower(Protocol):
    """Rows of another package that name speakers."""

    def renamed(self, speaker: Speaker) -> None:
        """Show the new name, which is saved."""

    def merged(self, kept: Speaker, gone: Speaker) -> None:
        """Let go of `gone`, who is deleted next, and refer to `kept`."""

    def forgotten(self, speaker: Speaker) -> None:
        """Let go of a speaker who is about to be deleted, and keep nothing of the voice or the name."""


_followers: list[SpeakerFollower] = []


def register(follower: SpeakerFollower) -> None:
    """Let this follow from now on; called from `AppConfig.ready`."""
    _followers.append(follower)


def unregister(follower: SpeakerFollower) -> None:
    """Let this follow no more."""
    _followers.remove(follower)


def renamed(speaker: Speaker) -> None:
    """Tell all followers of a new name."""
    for follower in _followers:
        follower.renamed(speaker)


def merged(kept: Speaker, gone: Speaker) -> None:
    """Tell all followers that two speakers are one."""
    for follower in _followers:
        follower.merged(kept, gone)


def forgotten(speaker: Speaker) -> None:
    """Tell all followers that a speaker is about to be deleted."""
    for follower in _followers:
        follower.forgotten(speaker)
