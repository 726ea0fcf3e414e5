"""Levels of the channels of a recording, which are recognised as one: by which of them a line came. Pure."""

from __future__ import annotations

from collections import deque

import numpy as np

from .pcm import ENCODINGS, PcmFormat, frame_bytes

WINDOW_MS = 40
"""A whole number of samples at all usual rates, 11025 among them: otherwise the windows drift away."""

KEPT_BEFORE_MS = 60_000
"""How long before a line another one may begin that is told later."""

MAX_WINDOWS = 90_000
"""An hour in which nothing was said."""


class ChannelLevels:
    """Loudness of each channel over time. Half a frame waits for its other half."""

    def __init__(self, format: PcmFormat) -> None:  # noqa: A002 - the field's word
        _, self._decode = ENCODINGS[format.encoding]
        self.channels = format.channels
        self._window_bytes = frame_bytes(format) * (format.rate * WINDOW_MS // 1000)
        self._rest = b""
        self._windows: deque[np.ndarray] = deque()
        self._first = 0  # window that is kept

    def receive(self, data: bytes) -> None:
        """Take the next bytes."""
        data = self._rest + data
        whole = len(data) - len(data) % self._window_bytes
        self._rest = data[whole:]
        if not whole:
            return
        audio = self._decode(data[:whole]).reshape(whole // self._window_bytes, -1, self.channels)
        self._windows.extend(np.square(audio).mean(axis=1, dtype=np.float32))
        self._forget(self._first + len(self._windows) - MAX_WINDOWS)

    def loudest(self, start_ms: int, end_ms: int) -> int:
        """Return the channel that was the loudest meanwhile; the first of several."""
        begin = max(0, start_ms // WINDOW_MS - self._first)
        stop = max(begin + 1, -(-end_ms // WINDOW_MS) - self._first)
        heard = [self._windows[at] for at in range(begin, min(stop, len(self._windows)))]
        return int(np.argmax(np.sum(heard, axis=0))) if heard else 0

    def forget_before(self, start_ms: int) -> None:
        """Keep only what lines may still be asked for that are told after one that starts there."""
        self._forget((start_ms - KEPT_BEFORE_MS) // WINDOW_MS)

    def _forget(self, first: int) -> None:
        while self._first < first and self._windows:
            self._windows.popleft()
            self._first += 1
