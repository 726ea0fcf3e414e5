"""Rotation of keys: everything that an earlier key has encrypted is encrypted with the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings
from django.db import models

from . import encryption, whole_files
from .exceptions import BadKeys
from .fields import EncryptedStorage, SealedField

PAGE = 500

_elsewhere: dict[str, Callable[[], int]] = {}


@dataclass
class Rotated:
    """Number of things that were encrypted anew."""

    columns: int = 0
    files: int = 0
    others: int = 0
    """Of other packages: `also_rotate`."""


def also_rotate(what: str, rotate: Callable[[], int]) -> None:
    """Have something of another package encrypted anew as well, whenever that is done.

    Args:
        rotate: Does it, and returns how many things it has encrypted.
    """
    _elsewhere[what] = rotate


def add_key() -> None:
    """Put a new key in front of the file of keys; what is encrypted from now on is so by it.

    Raises:
        BadKeys: If the keys are in the settings, where we cannot write.
    """
    if settings.VOICEPRINT_KEYS:
        raise BadKeys(
            "VOICEPRINT_KEYS is set: put the new key in front of the others there, start all processes anew, "
            "and give this command with --no-new-key."
        )
    encryption.write_keys([Fernet.generate_key().decode(), *encryption.keys()], replace=True)


def drop_old_keys() -> None:
    """Leave the first key alone in the file: call it when nothing is left that needs another."""
    if not settings.VOICEPRINT_KEYS:
        encryption.write_keys([encryption.keys()[0]], replace=True)


def rotate() -> Rotated:
    """Encrypt anew what another key than the first has encrypted, while the service runs. Idempotent.

    Raises:
        Undecipherable: If something was encrypted with a key that is not here.
    """
    done = Rotated()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, SealedField):
                done.columns += sum(_rotate_column(model, field.attname))
            elif isinstance(field, models.FileField) and isinstance(field.storage, EncryptedStorage):
                names = model._base_manager.exclude(**{field.name: ""}).values_list(field.name, flat=True)
                done.files += rotate_files(Path(field.storage.path(name)) for name in names.iterator())
    done.others = sum(rotate_elsewhere() for rotate_elsewhere in _elsewhere.values())
    return done


def _rotate_column(model: type[models.Model], column: str) -> Iterator[bool]:
    last = 0
    rows = model._base_manager.exclude(**{column: None}).order_by("pk")
    while page := list(rows.filter(pk__gt=last).values_list("pk", column)[:PAGE]):
        for last, token in page:
            if not encryption.is_current(bytes(token)):
                fresh = encryption.encrypt(encryption.decrypt(bytes(token)))
                # One that was replaced meanwhile is of the first key already.
                yield bool(model._base_manager.filter(pk=last, **{column: token}).update(**{column: fresh}))


def rotate_files(paths: Iterable[Path]) -> int:
    """Encrypt whole files anew, and return how many that were. Raises as `rotate`."""
    return sum(map(_rotate_file, paths))


def _rotate_file(path: Path) -> bool:
    try:
        token = path.read_bytes()
        if encryption.is_current(token):
            return False
        fresh = encryption.encrypt(encryption.decrypt(token))
        whole_files.write(path, fresh, replace=True, like_before=True)
    except FileNotFoundError:
        return False  # what it belongs to was deleted meanwhile, or will be
    return True
