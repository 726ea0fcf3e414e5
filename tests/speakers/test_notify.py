"""Hints to workers and readers: they may get lost, and then nothing else does."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis.exceptions import ConnectionError as RedisAway

from speakers import lifecycle, notify
from speakers.models import Speaker

from .people import make_speaker


class Layer:
    """A channel layer that takes messages, or is away."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.sent: list[tuple[str, dict[str, Any]]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.error:
            raise self.error
        self.sent.append((group, message))


def use(monkeypatch: pytest.MonkeyPatch, layer: Layer | None) -> None:
    monkeypatch.setattr(notify, "get_channel_layer", lambda: layer)


def test_workers_are_told_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer()
    use(monkeypatch, layer)

    notify.notify_workers()

    assert layer.sent == [("recognition-workers", {"type": "speakers.changed"})]


@pytest.mark.parametrize(
    "error", [RedisAway("refused"), OSError("no route"), RuntimeError("the event loop is closed")]
)
def test_a_layer_that_is_away_loses_a_hint_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    use(monkeypatch, Layer(error))

    notify.send("readers", {"type": "changed"})

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == f"a message to readers was lost: {error}"


def test_what_is_a_mistake_is_no_lost_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Layer(TypeError("a group has another name")))

    with pytest.raises(TypeError):
        notify.send("readers", {"type": "changed"})


def test_where_there_is_no_layer_there_is_nobody_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, None)

    notify.notify_workers()


@pytest.mark.django_db
def test_somebody_is_forgotten_though_nobody_can_be_told(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    use(monkeypatch, Layer(RedisAway("refused")))
    alice = make_speaker("Alice")

    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.forget(alice, by=None)

    assert not Speaker.objects.exists()
    assert "was lost" in caplog.text
