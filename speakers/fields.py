"""Columns and files that hold voices: encrypted in the database and on disk, opened only where used."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage
from django.db import models

from .encryption import decrypt, encrypt


class SealedField(models.BinaryField):  # type: ignore[type-arg]
    """Something encrypted. Its value is the token: rows can be read, moved and deleted without the key."""


def seal(embedding: np.ndarray) -> bytes:
    """Encrypt an embedding, shape (d,).

    Raises:
        ValueError: If it is not one finite vector.
    """
    values = np.asarray(embedding, "<f4")
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"an embedding is one finite vector, not an array of shape {values.shape}")
    return encrypt(values.tobytes())


def unseal(token: bytes | memoryview) -> np.ndarray:
    """Decrypt an embedding, float32, shape (d,). Raises `Undecipherable` if the key is gone."""
    return np.frombuffer(decrypt(bytes(token)), "<f4")


class EncryptedStorage(FileSystemStorage):
    """Files that only this installation can read. Small ones: each is encrypted as a whole."""

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        content.seek(0)
        saved: str = super()._save(name, ContentFile(encrypt(content.read())))  # type: ignore[misc]
        return saved

    def _open(self, name: str, mode: str = "rb") -> File:  # type: ignore[type-arg]
        """Raises `Undecipherable` if the key is gone."""
        with super()._open(name, "rb") as encrypted:  # type: ignore[misc]
            return ContentFile(decrypt(encrypted.read()), name=name)

    def url(self, name: str | None) -> str:
        raise ValueError("a voice has no address of its own: it is served to those who may hear it")


def encrypted_storage() -> Any:
    """Return the storage; a function, so that no migration names its place."""
    return EncryptedStorage()
