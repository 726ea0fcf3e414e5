"""Names of browsers and systems, for people who look for a login that is not theirs. Pure."""

from __future__ import annotations

# The first that is found counts: most browsers say that they are others as well.
BROWSERS = {
    "Edg/": "Edge",
    "MicroMessenger/": "WeChat",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def described(agent: str) -> str:
    """Return browser and system of a User-Agent, as "Firefox, Linux"; its first word if it is unknown."""
    found = [_first(agent, names) for names in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in found if name) or agent.split("/")[0].strip()[:40]


def _first(agent: str, names: dict[str, str]) -> str:
    return next((name for sign, name in names.items() if sign in agent), "")
