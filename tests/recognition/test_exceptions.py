"""The tree of errors, as its module draws it."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import recognition
from recognition import exceptions
from recognition.exceptions import ModelError, ModelSetError, RecognitionError, SessionClosed


def errors() -> list[type[Exception]]:
    """Every class of the module."""
    return [
        found
        for _, found in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(found, Exception) and found.__module__ == exceptions.__name__
    ]


def test_one_clause_catches_every_error_of_recognition() -> None:
    assert all(issubclass(error, RecognitionError) for error in errors())


def test_a_mistake_in_a_sets_file_is_an_error_about_models() -> None:
    assert issubclass(ModelSetError, ModelError)
    assert not issubclass(SessionClosed, ModelError)


def test_the_drawing_shows_every_error_below_its_base() -> None:
    lines = (exceptions.__doc__ or "").splitlines()
    places = {
        name: (number, line.index(name))
        for error in errors()
        for number, line in enumerate(lines)
        if (name := error.__name__) in line.split()
    }
    for error in errors():
        [base] = error.__bases__
        if base in errors():
            (row, column), (base_row, base_column) = places[error.__name__], places[base.__name__]
            assert row > base_row
            assert column > base_column


def test_no_other_module_of_recognition_has_an_exception_of_its_own() -> None:
    for module in pkgutil.walk_packages(recognition.__path__, "recognition."):
        if module.ispkg or module.name == exceptions.__name__ or ".funasr." in module.name:
            continue
        for name, found in inspect.getmembers(import_module(module.name), inspect.isclass):
            if issubclass(found, Exception) and found.__module__.startswith("recognition"):
                assert found.__module__ == exceptions.__name__, name
