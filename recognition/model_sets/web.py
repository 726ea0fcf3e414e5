"""Files of hubs by plain HTTP, taken up where they broke off."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from recognition.exceptions import PlaceError

from .attempts import Pace, Patience, innermost
from .files import HubFile

if TYPE_CHECKING:
    import requests

HUGGING_FACE = "https://huggingface.co"
MODELSCOPE = "https://modelscope.cn"
_PIECE = 1 << 16


def address(file: HubFile) -> str:
    """Return where a hub has a file; HF_ENDPOINT and MODELSCOPE_ENDPOINT name other hubs."""
    path = quote(file.path)
    if file.hub == "huggingface":
        return f"{_endpoint('HF_ENDPOINT', HUGGING_FACE)}/{file.repository}/resolve/{file.revision}/{path}"
    query = urlencode({"Revision": file.revision, "FilePath": file.path})
    return f"{_endpoint('MODELSCOPE_ENDPOINT', MODELSCOPE)}/api/v1/models/{file.repository}/repo?{query}"


class Web:
    """Hubs over HTTP; one that did not answer is not asked again."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._dead: dict[str, str] = {}
        self._alive: set[str] = set()

    def fetch(self, url: str, target: Path, size: int, report: Callable[[int], None]) -> None:
        """Write what is missing of a file of this size behind what is there of it.

        Raises:
            PlaceError: If it does not come, or not all of it; what has come stays.
        """
        host = urlsplit(url).netloc
        if host in self._dead:
            raise PlaceError(self._dead[host])
        try:
            if host not in self._alive:
                check_alive(f"{urlsplit(url).scheme}://{host}/", self._patience)
                self._alive.add(host)
            self._fetch(url, target, size, report)
        except PlaceError as error:
            if error.is_dead:
                self._dead[host] = str(error)
            raise

    def _fetch(self, url: str, target: Path, size: int, report: Callable[[int], None]) -> None:
        from urllib3.exceptions import HTTPError

        there = target.stat().st_size if target.exists() else 0
        if there == size:
            return  # it only lacks its name
        with self._ask(url, there) as answer:
            try:
                self._write(answer, target, there, size, report)
            except HTTPError as error:
                raise PlaceError(f"it broke off: {innermost(str(error))}") from error

    def _ask(self, url: str, there: int) -> requests.Response:
        import requests

        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
        timeout = (self._patience.answer_s, self._patience.window_s / 2)
        try:
            return requests.get(url, headers=headers, stream=True, timeout=timeout)
        except requests.exceptions.RequestException as error:
            raise PlaceError(_reason(error), is_dead=True) from error

    def _write(
        self, answer: requests.Response, target: Path, there: int, size: int, report: Callable[[int], None]
    ) -> None:
        if answer.status_code == 416:  # there is no such part
            raise PlaceError("it has less than what came from elsewhere")
        if answer.status_code not in (200, 206):
            raise PlaceError(f"it answers with {answer.status_code} {answer.reason}")
        if (announced := _announced_size(answer)) not in (None, size):
            raise PlaceError(f"it has {announced} bytes instead of {size}")
        pace, done = Pace(self._patience), there if answer.status_code == 206 else 0
        with target.open("ab" if done else "wb") as file:
            # As it comes: requests' own iterator loses what precedes a break, and waits for whole pieces.
            while piece := answer.raw.read1(_PIECE):
                done += file.write(piece)
                report(done)
                if done > size:
                    return  # it is another file, and may never end
                if pace.is_too_slow(time.monotonic(), done):
                    raise PlaceError("it is too slow", is_dead=True)
        if done < size:
            raise PlaceError(f"it broke off after {done} of {size} bytes")


def check_alive(url: str, patience: Patience) -> None:
    """Ask for anything, to know soon whether anybody is there.

    Raises:
        PlaceError: If nobody answers.
    """
    import requests

    try:
        with requests.head(url, timeout=patience.answer_s, allow_redirects=False):
            pass
    except requests.exceptions.RequestException as error:
        raise PlaceError(_reason(error), is_dead=True) from error


def _announced_size(answer: requests.Response) -> int | None:
    """Return the size of the whole file, if the answer tells it."""
    ranges, length = answer.headers.get("Content-Range", ""), answer.headers.get("Content-Length", "")
    told = ranges.rpartition("/")[2] if answer.status_code == 206 else length
    return int(told) if told.isdecimal() else None


def _endpoint(variable: str, default: str) -> str:
    given = os.environ.get(variable, "").rstrip("/") or default
    return given if "://" in given else f"https://{given}"


def _reason(error: Exception) -> str:
    """Return why nobody answers."""
    from requests.exceptions import ConnectTimeout, ProxyError, ReadTimeout, SSLError

    match error:
        case ConnectTimeout() | ReadTimeout():
            return "it does not answer"
        case ProxyError():
            return f"the proxy does not reach it: {_plain(error)}"
        case SSLError():
            return f"its certificate is not accepted: {_plain(error)}"
    return f"it cannot be reached: {_plain(error)}"


def _plain(error: Exception) -> str:
    outer = error.args[0] if error.args else error
    return innermost(str(getattr(outer, "reason", outer))) or type(error).__name__
