"""The product's modules and the imports between them, read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("asrsite", "sessions_app", "speakers", "minutes", "recognition", "audit")


def modules() -> dict[str, Path]:
    """Return the product's modules by dotted name; packages without code and migrations are left out."""
    files = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    return {
        _name(file): file for file in files if "migrations" not in file.parts and file.read_text().strip()
    }


def imports(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return what each module imports of the product, inside functions too; not what is only for types."""
    names = {*known, *PACKAGES}
    return {name: {*_imported(name, file, names)} - {name} for name, file in known.items()}


def foreign_imports(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return the top-level packages that each module imports."""
    return {
        name: {target.partition(".")[0] for target in _targets(name, file)} for name, file in known.items()
    }


def room(module: str, file: Path) -> str:
    """Return the folder of a module as a dotted name."""
    return ".".join(file.relative_to(ROOT).parent.parts) if file.name != "__init__.py" else module


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other (Tarjan, 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        path.append(module)
        for target in arrows.get(module, ()):
            if target not in order:
                visit(target)
            if target in path:
                lowest[module] = min(lowest[module], lowest[target])
        if lowest[module] == order[module]:
            at = path.index(module)
            group, path[at:] = path[at:], []
            if len(group) > 1:
                found.append(sorted(group))

    for module in arrows:
        if module not in order:
            visit(module)
    return found


def _name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(module: str, file: Path, names: set[str]) -> Iterator[str]:
    for target in _targets(module, file):
        # `from package import name` names a module, or something in one.
        for candidate in (target, target.rpartition(".")[0]):
            if candidate in names:
                yield candidate
                break


def _targets(module: str, file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {id(node) for guard in ast.walk(tree) if _is_for_types(guard) for node in ast.walk(guard)}
    here = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
