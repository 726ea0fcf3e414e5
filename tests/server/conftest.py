from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server

KINDS = [pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in ("daphne", "uvicorn")]


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running installation with scripted models; the same tests hold on both servers."""
    data_dir = tmp_path_factory.mktemp(request.param)
    with Server(
        data_dir,
        kind=request.param,
        ASR_SENDER_RETURN_S="2",
        ASR_SENDER_IDLE_S="3",
        DJANGO_SETTINGS_MODULE="tests.support.foreign_settings",
    ) as running:
        yield running
