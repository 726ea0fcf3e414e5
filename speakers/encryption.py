"""Voiceprints at rest: unreadable without this installation's key.

Fernet (AES-128-CBC with an HMAC). The keys are `settings.VOICEPRINT_KEYS` or, if that is empty, the lines
of `settings.VOICEPRINT_KEY_FILE`, made on first use. The first key encrypts and all of them decrypt, so a new
key can be put in front while the service runs; the old one stays, for what it has encrypted.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from . import whole_files
from .exceptions import BadKeys, Undecipherable


def encrypt(plain: bytes) -> bytes:
    """Encrypt with the first key."""
    return _fernets(keys())[0].encrypt(plain)


def decrypt(token: bytes) -> bytes:
    """Raises `Undecipherable` if no key fits, or if the token was tampered with."""
    try:
        return MultiFernet(_fernets(keys())).decrypt(token)
    except InvalidToken:
        raise Undecipherable from None


def is_current(token: bytes) -> bool:
    """Tell if the first key made this token."""
    try:
        _fernets(keys())[0].decrypt(token)
    except InvalidToken:
        return False
    return True


def check_keys() -> None:
    """Find out whether the keys are some; a file that is not there yet is made when it is needed.

    Raises:
        BadKeys: If not.
    """
    file = Path(settings.VOICEPRINT_KEY_FILE)
    if not settings.VOICEPRINT_KEYS and not file.exists():
        return
    source = "VOICEPRINT_KEYS" if settings.VOICEPRINT_KEYS else f"The file {file}"
    advice = "put it back from a backup, or move it away if no voice is enrolled yet"
    try:
        found = keys()
        _fernets(found)
    except (ValueError, OSError) as error:  # UnicodeDecodeError is one, too
        raise BadKeys(f"{source} holds no keys of voiceprints ({error}): {advice}.") from None
    if not found:
        raise BadKeys(f"{source} is empty, and no voiceprint can be read: {advice}.")


def keys() -> tuple[str, ...]:
    """Return the keys in force, the one that encrypts first."""
    if settings.VOICEPRINT_KEYS:
        return tuple(settings.VOICEPRINT_KEYS)
    file = Path(settings.VOICEPRINT_KEY_FILE)
    try:
        stat = file.stat()
    except FileNotFoundError:
        write_keys([Fernet.generate_key().decode()], replace=False)
        stat = file.stat()
    return _read_keys(file, stat.st_mtime_ns, stat.st_ino)


def write_keys(lines: list[str], *, replace: bool) -> None:
    """Write the file of keys, for its owner alone; unless `replace`, a file that is there stays."""
    content = "".join(f"{line}\n" for line in lines).encode()
    whole_files.write(Path(settings.VOICEPRINT_KEY_FILE), content, replace=replace)


@lru_cache(maxsize=4)
def _read_keys(file: Path, modified: int, inode: int) -> tuple[str, ...]:
    return tuple(file.read_text().split())


@lru_cache(maxsize=4)
def _fernets(keys: tuple[str, ...]) -> list[Fernet]:
    return [Fernet(key) for key in keys]
