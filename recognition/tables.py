"""Tables of a file that people write, read into frozen dataclasses: keys, types and ranges checked. Pure.

A field's annotation says what its key takes: `str`, `bool`, `int`, `float`, `tuple[str, ...]`,
`Mapping[str, str]`, `Literal`, any of them with `| None`, and a number `Between` bounds as
`Annotated[int, Between(1, 100)]`. A field without a default is one that the table must have. What is wrong
is told with its place, its value and what is allowed.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .exceptions import ModelSetError

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds of a number, both of them allowed."""

    low: float
    high: float = math.inf

    def __str__(self) -> str:
        return f", {self.low} or more" if self.high == math.inf else f" from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Place:
    """A table of a file, as messages name it."""

    file: str
    table: str = ""
    """As in TOML, "vad.options"; empty for the top of the file."""

    def inner(self, name: str) -> Place:
        """Return the place of a table in this one."""
        return Place(self.file, f"{self.table}.{name}" if self.table else name)

    def error(self, problem: str) -> ModelSetError:
        """Return the error that names this place."""
        return ModelSetError(f"{self}: {problem}")

    def refusal(self, key: str, value: object, allowed: str) -> ModelSetError:
        """Return the error that refuses the value of a key."""
        return self.error(f"{key} = {_written(value)} is refused; it takes {allowed}")

    def __str__(self) -> str:
        return f"{self.file}: [{self.table}]" if self.table else self.file


def read_table(kind: type[Content], table: object, place: Place, /, **given: Any) -> Content:
    """Read a table into a dataclass.

    Args:
        given: Fields that do not come from the table.

    Raises:
        ModelSetError: If a key is unknown or missing, or a value is not allowed.
    """
    if not isinstance(table, Mapping):
        raise place.error(f"this is not a table but {_written(table)}")
    known = {field.name: field for field in fields(kind) if field.name not in given}  # type: ignore[arg-type]
    check_keys(table, known, place)
    has_default = {
        name: field.default is not MISSING or field.default_factory is not MISSING
        for name, field in known.items()
    }
    if absent := [name for name in known if name not in table and not has_default[name]]:
        raise place.error(f"{', '.join(absent)} is missing")
    annotations = get_type_hints(kind, include_extras=True)
    values = {key: _checked(annotations[key], key, value, place) for key, value in table.items()}
    try:
        return kind(**values, **given)
    except ValueError as error:  # values that contradict each other
        raise place.error(str(error)) from error


def check_keys(table: Mapping[str, Any], known: Collection[str], place: Place) -> None:
    """Refuse a key that is not known.

    Raises:
        ModelSetError: With the keys that are, and the one that was probably meant.
    """
    for key in (key for key in table if key not in known):
        likely = get_close_matches(key, known, 1)
        meant = f" (did you mean {likely[0]}?)" if likely else ""
        taken = f"it takes {', '.join(known)}" if known else "it takes none"
        raise place.error(f"there is no key {key}, which is {_written(table[key])} here{meant}; {taken}")


def _checked(annotation: Any, key: str, value: object, place: Place) -> Any:
    try:
        return _converted(annotation, value)
    except ValueError:
        raise place.refusal(key, value, _description(annotation)) from None


def _converted(annotation: Any, value: Any) -> Any:
    """Return the value as the annotation has it; raise ValueError if it is another."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _within(arguments[1:], _converted(arguments[0], value))
    if origin in (Union, types.UnionType):
        return _converted(_without_none(arguments), value)
    if origin is Literal:
        return _member(arguments, value)
    if origin is tuple:
        return tuple(_converted(arguments[0], entry) for entry in _instance(list, value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _converted(arguments[1], entry) for key, entry in _instance(dict, value).items()}
    if annotation is float:
        return _finite(float(_instance((int, float), value)))
    return value if annotation is Any else _instance(annotation, value)


def _instance(kind: Any, value: Any) -> Any:
    # True is an int to Python, and not to a person.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def _within(bounds: tuple[Any, ...], value: Any) -> Any:
    if not all(each.low <= value <= each.high for each in bounds if isinstance(each, Between)):
        raise ValueError
    return value


def _member(members: tuple[Any, ...], value: Any) -> Any:
    if value not in members or isinstance(value, bool):
        raise ValueError
    return value


def _without_none(arguments: tuple[Any, ...]) -> Any:
    [one] = [argument for argument in arguments if argument is not type(None)]
    return one


_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    Any: "anything",
}


def _description(annotation: Any) -> str:
    """Return what a person may write."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _description(arguments[0]) + "".join(str(each) for each in arguments[1:])
    if origin in (Union, types.UnionType):
        return _description(_without_none(arguments))
    if origin is Literal:
        return " or ".join(json.dumps(each, ensure_ascii=False) for each in arguments)
    if origin is tuple:
        return f"a list, each entry {_description(arguments[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a table, each value {_description(arguments[1])}"
    return _WORDS[annotation]


def _written(value: object) -> str:
    """Return a value about as the file has it."""
    return json.dumps(value, ensure_ascii=False, default=str)
