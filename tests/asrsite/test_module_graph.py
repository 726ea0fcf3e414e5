"""The modules behind a page: found in their sources, as browsers find them."""

from __future__ import annotations

import pytest

from asrsite.module_graph import imported_by


def found(**sources: str) -> list[str]:
    """Return what `a/page.js` imports; names have `__` for a slash."""
    files = {name.replace("__", "/") + ".js": source for name, source in sources.items()}
    return imported_by("a/page.js", files.__getitem__)


@pytest.mark.parametrize(
    "source",
    [
        'import "./b.js";',
        'import b from "./b.js";',
        "import { b } from './b.js';",
        'import {\n  b,\n  c,\n} from "./b.js";',
        'import * as b from "./b.js";',
        'export { b } from "./b.js";',
        'export * from "../a/b.js";',
    ],
)
def test_any_import_is_seen(source: str) -> None:
    assert found(a__page=source, a__b="") == ["a/b.js"]


@pytest.mark.parametrize(
    "source",
    [
        '// import "./b.js";',
        'const later = () => import("./b.js");',
        'export const b = "./b.js";',
        'export function f() {\n  return "./b.js";\n}',
        '/** @import { B } from "./b.js" */',
    ],
)
def test_what_is_none_is_not(source: str) -> None:
    assert found(a__page=source) == []


def test_those_behind_imports_are_found_once_also_in_circles() -> None:
    assert found(
        a__page='import "./b.js";\nimport "../c/d.js";',
        a__b='import "../c/d.js";',
        c__d='import "./e.js";\nimport "../a/b.js";',
        c__e='import "../a/page.js";',
    ) == ["a/b.js", "c/d.js", "c/e.js"]
