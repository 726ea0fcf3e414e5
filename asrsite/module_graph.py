"""The graph of a page's modules: all that one imports, directly or not. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

_IMPORT = re.compile(
    r"""^(?:import|export)\b(?:[^;"'`()]*?\bfrom)?\s*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE
)
"""What is loaded before the module runs; `import()` is for later."""


def imported_by(entry: str, read: Callable[[str], str]) -> list[str]:
    """Return the modules behind an entry, those first that are found first, each once, and not itself.

    Args:
        entry: A module's name, such as "js/pages/session.js".
        read: Returns the source of a module.
    """
    found = [entry]
    for name in found:  # which grows
        for address in _IMPORT.findall(read(name)):
            module = posixpath.normpath(posixpath.join(posixpath.dirname(name), address))
            if module not in found:
                found.append(module)
    return found[1:]
