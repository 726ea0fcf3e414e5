"""Speech from text: espeak-ng, by way of its library, in as many voices as can be made of it.

espeak-ng's Mandarin voice is fed pinyin with tones, because the voice that takes characters is broken
in Debian's build (it reads the pinyin as English letters). A voice is a *variant* (a small file of formant
and source settings: espeak-ng brings about sixty of use, and this module writes as many more as wanted)
and a resampling factor, which moves pitch and formants together as a longer or shorter vocal tract does.

espeak-ng keeps state from one call to the next and offers no way back: the same calls in the same
order give the same samples, in a fresh process. What must be repeatable starts one (`in_fresh_process`),
by a fork of one that has imported what it needs and never spoken.
"""

from __future__ import annotations

import ctypes
import functools
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import numpy as np
import soxr
from pypinyin import Style, lazy_pinyin, load_phrases_dict

from recognition.audio import SAMPLE_RATE

LIBRARY = "libespeak-ng.so.1"
LANGUAGE = "cmn-latn-pinyin"

HELD_OUT_VARIANTS = ("f4", "m5", "Andrea", "steph3", "Gene", "klatt3", "grandma", "norbert", "anika")
"""Voices that are for measuring only: no model is ever trained on them."""

SAMPLE_MEETING_VARIANTS = ("belinda", "Michael", "caleb")
"""The speakers of the sample meeting, kept from training as well."""

# Without "rob": its pitch is so low that espeak-ng writes past a buffer and takes the process along.
# fmt: off
TRAINING_VARIANTS = (
    "f1", "f2", "f3", "f5", "m1", "m2", "m3", "m4", "m6", "m7", "m8", "Alex", "Alicia", "Andy", "Annie",
    "Denis", "Diogo", "Gene2", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Mike", "RicishayMax",
    "RicishayMax2", "adam", "antonio", "aunty", "benjamin", "boris", "david", "ed", "edward", "edward2",
    "grandpa", "gustave", "iven", "iven2", "iven3", "iven4", "john", "kaukovalta", "klatt", "klatt2",
    "klatt4", "klatt5", "klatt6", "linda", "marcelo", "max", "michel", "miguel", "pablo", "paul", "pedro",
    "quincy", "robert", "sandro", "shelby", "steph", "steph2", "travis", "victor", "zac",
)
# fmt: on

_SYNCHRONOUS = 2
_UTF8 = 1
_RATE, _VOLUME, _PITCH, _PITCH_RANGE, _WORD_GAP = 1, 2, 3, 4, 7

T = TypeVar("T")


class SynthesisError(Exception):
    """espeak-ng is missing, or lacks a voice that was asked for."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: the same voice says everything with the same vocal tract and about the same pitch."""

    variant: str
    factor: float = 1.0
    """Resampling: above 1 is lower and longer, below 1 is higher and smaller. Tempo follows it."""

    pitch: int = 50
    """espeak-ng's scale, 0 to 99; 50 is the variant's own."""

    pitch_range: int = 50


@dataclass(frozen=True, slots=True)
class Manner:
    """How one utterance is spoken."""

    rate: int = 170
    """espeak-ng's words a minute; 170 is about four syllables a second for most variants."""

    word_gap: int = 0
    """Pause between syllables, in units of 10 ms."""


def random_voice(rng: Random, variants: tuple[str, ...] | list[str]) -> Voice:
    return Voice(rng.choice(variants), 2 ** rng.uniform(-0.2, 0.2), rng.randint(25, 75), rng.randint(30, 80))


def random_manner(rng: Random) -> Manner:
    return Manner(rate=rng.randint(125, 235), word_gap=rng.choices((0, 1, 2), weights=(85, 12, 3))[0])


def pinyin(text: str) -> str:
    """Toned syllables with the sandhi of connected speech; marks stay, as the pauses that they are."""
    _correct_readings()
    syllables = lazy_pinyin(
        text,
        style=Style.TONE3,
        neutral_tone_with_five=True,
        tone_sandhi=True,
        v_to_u=False,
        errors=_spoken_marks,
    )
    # pypinyin spells the hesitation 嗯 as a bare nasal, which espeak-ng does not voice.
    return " ".join("en5" if syllable in ("n2", "ng2", "n", "ng") else syllable for syllable in syllables)


@functools.cache
def _correct_readings() -> None:
    """Teach pypinyin words of meetings that its dictionary reads wrongly (目标 + 的 as 标的, 调 as diào)."""
    readings = {
        "调休": "tiáo xiū",
        "调一下": "tiáo yí xià",
        "微调": "wēi tiáo",
        "目标的": "mù biāo de",
        "图标的": "tú biāo de",
        "指标的": "zhǐ biāo de",
    }
    load_phrases_dict({word: [[s] for s in reading.split()] for word, reading in readings.items()})


def _spoken_marks(characters: str) -> str:
    return "".join(
        {"，": ",", "、": ",", "；": ";", "。": ".", "！": "!", "？": "?"}.get(c, " ") for c in characters
    )


class Synthesizer:
    """espeak-ng in this process. There can be one: the library is a singleton.

    Args:
        variants: A folder of variants beyond espeak-ng's own, as `write_variants` makes it, or None.
        scratch: Where the data folder that joins the two is laid out; needed with `variants`.

    Raises:
        SynthesisError: If the library or its data are not installed.
    """

    def __init__(self, variants: Path | None = None, scratch: Path | None = None) -> None:
        self._library = _load_library()
        data = None if variants is None or scratch is None else join_data(variants, scratch)
        self._chunks: list[np.ndarray] = []
        self._callback = _CALLBACK(self._collect)  # kept: the library holds only a pointer
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None if data is None else bytes(data), 0)
        if rate <= 0:
            raise SynthesisError("espeak-ng finds no data; install the package espeak-ng")
        self._rate = rate
        self._library.espeak_SetSynthCallback(self._callback)
        self._known = {path.name for path in _variants_folder(data or system_data().parent).iterdir()}

    def speak(self, text: str, voice: Voice, manner: Manner | None = None) -> np.ndarray:
        """`text` in Chinese characters and marks, as float32 samples at 16 kHz in [-1, 1].

        Raises:
            SynthesisError: If there is no such variant. (espeak-ng itself would quietly take its base voice.)
        """
        manner = manner or Manner()
        if voice.variant not in self._known:
            raise SynthesisError(f"espeak-ng has no voice variant {voice.variant!r}")
        name = f"{LANGUAGE}+{voice.variant}"
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise SynthesisError(f"espeak-ng refuses the voice {name!r}")
        for parameter, value in (
            (_RATE, manner.rate),
            (_VOLUME, 90),
            (_PITCH, voice.pitch),
            (_PITCH_RANGE, voice.pitch_range),
            (_WORD_GAP, manner.word_gap),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks.clear()
        encoded = pinyin(text).encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._chunks:
            return np.zeros(0, np.float32)
        samples = np.concatenate(self._chunks).astype(np.float32) / 32768
        resampled: np.ndarray = soxr.resample(samples, self._rate * voice.factor, SAMPLE_RATE, quality="LQ")
        return resampled

    def _collect(self, wave: Any, count: int, _events: Any) -> int:
        if wave and count > 0:
            self._chunks.append(np.ctypeslib.as_array(wave, shape=(count,)).copy())
        return 0


def write_variants(folder: Path, count: int, seed: int) -> list[str]:
    """Invent `count` variants, one file each; the same seed writes the same ones.

    The ranges follow the variants that espeak-ng brings: a vocal tract and the formants around it, pitch,
    breath and roughness of the source, one in five on the Klatt synthesiser.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(seed)
    names = [f"made{number:04d}" for number in range(count)]
    for name in names:
        invented = _invent_variant(name, rng)
        if not (folder / name).exists():
            (folder / name).write_text(invented, encoding="ascii")
    return names


def _invent_variant(name: str, rng: Random) -> str:
    kind = rng.choices(("male", "female", "child"), weights=(46, 46, 8))[0]
    tract = {"male": (0.9, 1.06), "female": (1.02, 1.2), "child": (1.15, 1.3)}[kind]
    base = rng.uniform(*{"male": (65, 130), "female": (140, 230), "child": (220, 290)}[kind])
    scale = rng.uniform(*tract)
    lines = ["language variant", f"name {name}", f"pitch {base:.0f} {base * rng.uniform(1.15, 1.7):.0f}"]
    for formant in range(9):
        spread = rng.uniform(0.95, 1.05) if formant else 1.0
        strength, width = rng.uniform(70, 140), rng.uniform(75, 160)
        lines.append(f"formant {formant} {100 * scale * spread:.0f} {strength:.0f} {width:.0f}")
    if rng.random() < 0.2:
        lines.append(f"klatt {rng.choice((1, 2, 3, 4))}")
    if rng.random() < 0.4:
        lines.append(f"roughness {rng.randint(1, 4)}")
    if rng.random() < 0.5:
        lines.append(f"flutter {rng.randint(0, 12)}")
    if rng.random() < 0.4:
        lines.append(f"voicing {rng.randint(65, 140)}")
    if rng.random() < 0.5:
        lines.append(f"consonants {rng.randint(60, 150)} {rng.randint(60, 150)}")
    if rng.random() < 0.3:
        lines.append("breath " + " ".join(str(rng.randint(0, 5)) for _ in range(8)))
    if rng.random() < 0.5:
        tone = [(600, 170, 255), (1200, 80, 255), (2000, 60, 220), (4000, 40, 180)]
        lines.append("tone " + " ".join(f"{hz} {rng.randint(low, high)}" for hz, low, high in tone))
    return "\n".join(lines) + "\n"


def system_data() -> Path:
    """espeak-ng's own data folder."""
    for root in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/share", "/usr/lib"):
        folder = Path(root) / "espeak-ng-data"
        if folder.is_dir():
            return folder
    raise SynthesisError("espeak-ng finds no data; install the package espeak-ng")


def join_data(variants: Path, scratch: Path) -> Path:
    """Lay out espeak-ng's data with the variants of another folder beside its own, all as links.

    Returns:
        The folder to initialise the library with.
    """
    data = scratch / "espeak-ng-data"
    own = system_data()
    for folder in (data, data / "lang", data / "voices", data / "voices" / "!v"):
        folder.mkdir(parents=True, exist_ok=True)
    # The library has room for 350 voices and its languages alone are a hundred: Mandarin's family is enough.
    _link([entry for entry in own.iterdir() if entry.name not in ("lang", "voices")], data)
    _link([own / "lang" / "sit"], data / "lang")
    _link((own / "voices" / "!v").iterdir(), data / "voices" / "!v")
    _link(variants.iterdir(), data / "voices" / "!v")
    return scratch


def _link(entries: Iterable[Path], folder: Path) -> None:
    for entry in entries:
        link = folder / entry.name
        if not link.exists():
            link.symlink_to(entry.resolve())


def in_fresh_process(function: Callable[..., T], *arguments: Any) -> T:
    """The result of a module-level function in a new process, where espeak-ng starts afresh."""
    with fresh_processes(1) as executor:
        return executor.submit(function, *arguments).result()


def fresh_processes(count: int) -> ProcessPoolExecutor:
    """Return a pool of so many processes at a time, each of which does one task."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["training.corpus"])  # with torch, which takes seconds
    return ProcessPoolExecutor(count, mp_context=context, max_tasks_per_child=1)


def _variants_folder(parent: Path) -> Path:
    return parent / "espeak-ng-data" / "voices" / "!v"


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@functools.cache
def _load_library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as exc:
        raise SynthesisError(f"{LIBRARY} cannot be loaded; install the package espeak-ng ({exc})") from exc
    library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    return library
