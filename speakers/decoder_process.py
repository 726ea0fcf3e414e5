"""A program of its own that turns one audio file into samples. It is given files by strangers.

It limits itself first, imports nothing of this project, and writes float32 samples at 16 kHz to its standard
output; or, if it cannot, one word to its standard error, and exits with status 3.

    python -I decoder_process.py FILE MAX_RECORDING_S MEMORY_BYTES CPU_S [any FIRST_SAMPLE | facts]

`any` takes all kinds of files, also the sound of videos, and begins with a sample; `facts` writes what is
known of such a file, as JSON, when it has some audio.
"""

from __future__ import annotations

import json
import os
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
    if sys.argv[5:]:
        os.nice(10)  # whole meetings: those that are spoken now go first

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

OTHER_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,mpegts,mpeg,flv,ogg,mp3,wav,w64,flac,aac,ac3,eac3,amr,amrnb,"
    "amrwb,aiff,caf,au,ape,wv,tta,dts,rm,mxf,voc"
)
"""Demultiplexers of files with sound. None of them opens another file."""


class Refused(Exception):
    """One word: not_audio, empty, too_long, bad_rate, bad_channels, not_finite."""


def main(path: Path, longest_s: float, *, takes_any: bool = False, first: int = 0) -> None:
    """Write a file's samples to standard output, from the first that is wanted, or raise `Refused`."""
    read = 0
    for block in resampled(*(open_any if takes_any else open_audio)(path)):
        if not np.isfinite(block).all():
            raise Refused("not_finite")
        wanted = block[max(0, first - read) :]
        read += len(block)
        if read > longest_s * SAMPLE_RATE:
            raise Refused("too_long")
        sys.stdout.buffer.write(wanted.astype("<f4").tobytes())
    if not read:
        raise Refused("empty")


def tell_facts(path: Path) -> None:
    """Write what a file says of itself; raise `Refused` if its audio does not begin."""
    facts = sound_file_facts(path) or container_facts(path)
    if not any(len(block) for block in open_any(path)[1]):
        raise Refused("empty")
    sys.stdout.write(json.dumps(facts))


def sound_file_facts(path: Path) -> dict[str, Any]:
    """Return the length in seconds; nothing where that is for others to read."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            return {"seconds": file.frames / file.samplerate}
    except soundfile.LibsndfileError:
        return {}


def container_facts(path: Path) -> dict[str, Any]:
    """Return length and date, as far as they are told."""
    import av

    media = open_media(path, OTHER_CONTAINERS)
    date = media.metadata.get("creation_time") or media.metadata.get("date")
    return {"seconds": media.duration / av.time_base if media.duration else None, "recorded_at": date}


def open_any(path: Path) -> tuple[int, Iterator[np.ndarray]]:
    """Return as `open_audio`, from a file of any kind with sound in it."""
    try:
        return open_audio(path)
    except Refused as refusal:
        if str(refusal) != "not_audio":
            raise
    return open_container(path, OTHER_CONTAINERS)


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


def open_media(path: Path, containers: str) -> Any:
    """Open M4A, WebM and the like. Only these demultiplexers may read it, and they may open nothing else."""
    import av

    options = {"protocol_whitelist": "", "format_whitelist": containers}
    form = None if "," in containers else containers
    try:
        media = av.open(path.open("rb"), format=form, options=options)
    except (av.FFmpegError, ValueError):
        raise Refused("not_audio") from None
    if not media.streams.audio:
        raise Refused("not_audio")
    return media


def open_container(path: Path, containers: str) -> tuple[int, Iterator[np.ndarray]]:
    """Decode the first sound track."""
    import av

    media = open_media(path, containers)
    stream = media.streams.audio[0]
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
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
        match sys.argv[5:]:
            case ["facts"]:
                tell_facts(Path(sys.argv[1]))
            case ["any", first]:
                main(Path(sys.argv[1]), float(sys.argv[2]), takes_any=True, first=int(first))
            case _:
                main(Path(sys.argv[1]), float(sys.argv[2]))
    except Refused as refusal:
        sys.stderr.write(str(refusal))
        sys.exit(3)
