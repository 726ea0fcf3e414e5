"""Who may import whom: the rooms by their sources, the heavy libraries in a fresh interpreter."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest

from tests.support.imports import PACKAGES, circles, foreign_imports, imports, modules, room

MODULES = modules()

BELOW = {
    "asrsite": {"sessions_app", "speakers", "minutes", "recognition", "audit"},
    "sessions_app": {"speakers", "minutes", "recognition", "audit"},
    "speakers": {"recognition", "audit"},
    "minutes": {"recognition"},
    "recognition": set(),
    "audit": set(),
}

ROOMS = {
    # What clients and processes say to each other; knows no database and no socket.
    "asrsite.templatetags": set(),
    "sessions_app.wire": set(),
    "sessions_app.serving": set(),
    "sessions_app.cells": set(),
    "sessions_app.transport": {"cells"},
    "sessions_app.recordings": set(),
    "sessions_app.backups": {"recordings"},
    "sessions_app.access": {"wire"},
    "sessions_app.store": {"access", "cells", "recordings", "transport", "wire"},
    "sessions_app.catalogue": {"access", "store", "templatetags", "transcripts"},
    "sessions_app.minutes": {"store", "wire"},
    "sessions_app.sockets": {"access", "cells", "serving", "store", "transcripts", "transport", "wire"},
    "sessions_app.uploads": {"access", "store", "transport", "wire"},
    "sessions_app.webhooks": {"minutes", "store", "transcripts", "transport", "uploads", "wire"},
    "sessions_app.worker": {
        "catalogue", "cells", "minutes", "recordings", "serving", "store", "transport", "uploads", "webhooks",
        "wire",
    },
    "sessions_app.transcripts": {"minutes", "recordings", "store", "templatetags", "wire"},
    "sessions_app.views": {
        "access", "catalogue", "minutes", "recordings", "store", "templatetags", "transcripts", "transport",
        "uploads", "webhooks", "wire",
    },
    "sessions_app.api": {"access", "catalogue", "store", "transcripts", "views", "wire"},
    "sessions_app.sample": {"access", "store"},
    "sessions_app.templatetags": set(),
    "sessions_app.management": set(),
    "sessions_app.management.commands": {
        "access", "backups", "catalogue", "cells", "management", "recordings", "sample", "serving",
        "transcripts", "transport", "worker",
    },
    "asrsite.formats.en": set(),
    "audit.management.commands": set(),
    "minutes.llm": set(),
    "speakers.voiceprints": set(),
    "speakers.management.commands": {"voiceprints"},
    "speakers.templatetags": set(),
    "recognition.core": set(),
    "recognition.writing": {"core"},
    "recognition.evaluation": {"core", "engine", "funasr", "model_sets"},
    "recognition.fakes": {"core"},
    "recognition.model_sets": {"core", "fakes"},
    "recognition.engine": {"core"},
    "recognition.funasr": {"core", "funasr.int8", "int8", "model_sets", "whisper"},
    "recognition.whisper": {"core", "whisper.int8"},
    "recognition.whisper.int8": {"int8", "whisper"},
    "recognition.int8": set(),
    "recognition.funasr.int8": {"funasr", "int8"},
    "recognition.segmentation": {"funasr", "segmentation.int8"},
    "recognition.segmentation.int8": {"int8", "segmentation"},
}  # fmt: skip
"""The other rooms of its package that each room may use, besides the modules outside all rooms."""

ON_TOP = {
    "audit.admin",
    "audit.apps",
    "sessions_app.admin",
    "sessions_app.apps",
    "sessions_app.checks",
    "sessions_app.urls",
    "speakers.admin",
    "speakers.api",
    "speakers.apps",
    "speakers.urls",
    "speakers.views",
}
"""Modules outside all rooms that no room may use; the others lie below the rooms of their package."""

HEAVY = [
    "torch",
    "funasr",
    "silero_vad",
    "numba",
    "transformers",
    "ctranslate2",
    "tokenizers",
    "opencc",
    "wetext",
    "kaldifst",
]
WEB = ["django", "channels", "daphne", "twisted"]
APPS = ["asrsite", "sessions_app", "speakers", "audit"]

FORBIDDEN = {
    # decisions: plain function calls
    "recognition.core.session": [*HEAVY, *WEB, *APPS, "asyncio"],
    "recognition.core.endpointing": [*HEAVY, *WEB, *APPS, "asyncio"],
    "recognition.core.turns": [*HEAVY, *WEB, *APPS, "asyncio"],
    "recognition.engine.scheduler": [*HEAVY, *WEB, *APPS, "asyncio", "numpy"],
    "recognition.writing.chinese": [*HEAVY, *WEB, *APPS, "asyncio", "jieba"],
    "recognition.core.text": [*HEAVY, *WEB, *APPS, "asyncio", "numpy"],
    "sessions_app.wire.protocol": [*HEAVY, *WEB, "speakers", "asyncio", "numpy"],
    "sessions_app.wire.audio_frames": [*HEAVY, *WEB, "speakers", "asyncio"],
    "sessions_app.sockets.feed": [*HEAVY, *WEB, "speakers", "asyncio"],
    "sessions_app.cells.placement": [*HEAVY, *WEB, "speakers", "recognition", "asyncio"],
    "sessions_app.access.decision": [*HEAVY, *WEB, "speakers", "recognition", "asyncio"],
    "sessions_app.access.login_limits": [*HEAVY, *WEB, "speakers", "recognition", "asyncio"],
    "sessions_app.access.quotas": [*HEAVY, *WEB, "speakers", "recognition", "asyncio"],
    "sessions_app.worker.arrivals": [*HEAVY, *WEB, "speakers", "recognition", "asyncio"],
    "sessions_app.transcripts.alignment": [*HEAVY, *WEB, "speakers", "recognition", "asyncio"],
    # recognition knows no web framework, and reading a set loads no network library
    "recognition.engine.engine": [*HEAVY, *WEB, *APPS],
    "recognition.engine.transcriber": [*HEAVY, *WEB, *APPS],
    "recognition.fakes.scripted": [*HEAVY, *WEB, *APPS],
    "recognition.model_sets.reading": [*HEAVY, *WEB, *APPS],
    "audit.coalescing": [*HEAVY, *WEB, "sessions_app", "speakers", "asyncio"],
    # minutes are made of plain lines
    "minutes.extraction": [*HEAVY, *WEB, *APPS, "asyncio"],
    "minutes.llm.reading": [*HEAVY, *WEB, *APPS, "asyncio", "openai"],
    "sessions_app.minutes.requests": [*HEAVY, "openai"],
    # who is speaking: decisions without a database
    "speakers.voiceprints.identification": [*HEAVY, *WEB, "sessions_app", "asyncio"],
    "speakers.voiceprints.clustering": [*HEAVY, *WEB, "sessions_app", "asyncio"],
    "speakers.voiceprints.tracking": [*HEAVY, *WEB, "sessions_app", "asyncio"],
    # a process that only serves pages and sockets
    "asrsite.asgi": HEAVY,
}


@functools.cache
def product_imports() -> dict[str, set[str]]:
    return imports(MODULES)


def package(module: str) -> str:
    return module.partition(".")[0]


def rooms_used(name: str) -> set[str]:
    """The rooms of the same package that the modules of a room import."""
    used = {
        room(target, MODULES[target])
        for module in MODULES
        if room(module, MODULES[module]) == name
        for target in product_imports()[module]
        if target in MODULES and package(target) == package(name)
    }
    return used - {name, package(name)}


@pytest.mark.parametrize("above", PACKAGES)
def test_packages_import_only_those_below_them(above: str) -> None:
    used = {
        package(target)
        for module in MODULES
        if package(module) == above
        for target in product_imports()[module]
    }
    assert used - {above} <= BELOW[above]


def test_speakers_know_nothing_of_sessions() -> None:
    assert "sessions_app" not in BELOW["speakers"]
    foreign = foreign_imports({name: file for name, file in MODULES.items() if package(name) == "speakers"})
    assert [module for module, used in foreign.items() if "sessions_app" in used] == []


def test_the_product_never_imports_what_trains_measures_or_tests_it() -> None:
    outside = {"training", "benchmarks", "tests", "deploy", "examples"}
    foreign = foreign_imports(MODULES)
    assert {module: used & outside for module, used in foreign.items() if used & outside} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(product_imports()) == []


def test_every_room_is_in_the_table() -> None:
    rooms = {room(module, file) for module, file in MODULES.items()} - {*PACKAGES}
    assert rooms == {*ROOMS}


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_uses_only_rooms_below_it(name: str) -> None:
    allowed = {f"{package(name)}.{other}" for other in ROOMS[name]}
    assert rooms_used(name) <= allowed


@pytest.mark.parametrize("name", ROOMS)
def test_no_room_uses_what_lies_on_top_of_its_package(name: str) -> None:
    used = {
        target
        for module, file in MODULES.items()
        if room(module, file) == name
        for target in product_imports()[module]
    }
    assert used & ON_TOP == set() or name == "speakers.management.commands"


@pytest.mark.parametrize(("module", "forbidden"), FORBIDDEN.items())
def test_a_module_loads_only_what_it_needs(module: str, forbidden: list[str]) -> None:
    code = f"import sys, {module}; print(*[m for m in {forbidden} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


class TestCircles:
    def test_are_found_however_long_they_are(self) -> None:
        assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]

    def test_are_told_apart(self) -> None:
        found = circles({"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}})
        assert sorted(found) == [["a", "b"], ["c", "d"]]

    def test_are_none_where_two_ways_lead_to_the_same_place(self) -> None:
        assert circles({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) == []
