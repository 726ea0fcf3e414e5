"""A program of its own that turns one audio file into samples. It is given files by strangers.

It limits itself first, imports nothing of this project, and writes float32 samples at 16 kHz to its standard
output; or, if it cannot, one word to its standard error, and exits with status 3.

    python -I decoder_process.py FILE MAX_RECORDING_S MEMORY_BYTES CPU_S
"""

from __future__ import annotations

import resource
import sys

if __name__ == "__main__":
    # Before anything large is imported, and long before the file is opened.
    for what, most in (
        (resource.RLIMIT_AS, int(sys.argv[3])),
        (resource.RLIMIT_CPU, int(sys.argv[4])),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SAMPLE_RATE = 16_000
BLOCK = 65_536
RATES = range(8_000, 192_001)
MAX_CHANNELS = 8

# Recognised by their first bytes, never by their names.
CONTAINERS = {b"ftyp": "mov", b"\x1a\x45\xdf\xa3": "matroska"}


class Refused(Exception):
    """One word: not_audio, empty, too_long, bad_rate, bad_channels, not_finite."""


def main(path: Path, longest_s: float) -> None:
    """Write a file's samples to standard output, or raise `Refused`."""
    written = 0
    for block in resampled(*open_audio(path)):
        if not np.isfinite(block).all():
            raise Refused("not_finite")
        written += len(block)
        if written > longest_s * SAMPLE_RATE:
            raise Refused("too_long")
        sys.stdout.buffer.write(block.astype("<f4").tobytes())
    if not written:
        raise Refused("empty")


def open_audio(path: Path) -> tuple[int, Iterator[np.ndarray]]:
    """Return the sample rate, and mono blocks, float32."""
    with path.open("rb") as file:
        start = file.read(12)
    for magic, container in CONTAINERS.items():
        if start.startswith(magic) or start[4:].startswith(magic):
            return open_container(path, container)
    return open_sound_file(path)


def open_sound_file(path: Path) -> tuple[int, Iterator[np.ndarray]]:
    """Decode WAV, FLAC, OGG, MP3."""
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        raise Refused("not_audio") from None
    if file.samplerate not in RATES:
        raise Refused("bad_rate")
    if not 1 <= file.channels <= MAX_CHANNELS:
        raise Refused("bad_channels")

    def blocks() -> Iterator[np.ndarray]:
        try:
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                yield block.mean(axis=1)
        except soundfile.LibsndfileError:
            raise Refused("not_audio") from None

    return file.samplerate, blocks()


def open_container(path: Path, container: str) -> tuple[int, Iterator[np.ndarray]]:
    """Decode M4A and WebM. Only this demultiplexer may open the file, and it may open nothing else."""
    import av

    try:
        media: Any = av.open(path.open("rb"), format=container, options={"protocol_whitelist": ""})
        if not media.streams.audio:
            raise Refused("not_audio")
        stream = media.streams.audio[0]
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
    except (av.FFmpegError, ValueError):
        raise Refused("not_audio") from None
    if rate not in RATES:
        raise Refused("bad_rate")
    if not 1 <= channels <= MAX_CHANNELS:
        raise Refused("bad_channels")

    def blocks() -> Iterator[np.ndarray]:
        to_float = av.AudioResampler(format="fltp", rate=rate)
        try:
            for frame in media.decode(stream):
                for converted in to_float.resample(frame):
                    yield converted.to_ndarray().mean(axis=0, dtype=np.float32)
        except (av.FFmpegError, ValueError):
            raise Refused("not_audio") from None

    return rate, blocks()


def resampled(rate: int, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the same audio at 16 kHz, float32."""
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    import soxr

    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    for block in blocks:
        # A value that is no number would spread; say so before it does.
        if not np.isfinite(block).all():
            raise Refused("not_finite")
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), float(sys.argv[2]))
    except Refused as refusal:
        sys.stderr.write(str(refusal))
        sys.exit(3)
