"""Keys of recordings: one for each session, sealed under the installation's, in a file beside the recording.

Who has one is encrypted, whatever the settings say by now; whoever has none is not. A key that is destroyed
takes with it all that was ever encrypted with it, also where files leave traces.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings

from speakers import encryption, key_rotation, whole_files

from .chunks import KEY_BYTES

SUFFIX = ".key"


def path(session_pk: int) -> Path:
    """Return the place of a session's key."""
    return Path(settings.MEDIA_ROOT) / "recordings" / f"{session_pk}{SUFFIX}"


def has_one(session_pk: int) -> bool:
    """Tell whether a session's recording is encrypted."""
    return path(session_pk).exists()


def of(session_pk: int) -> bytes | None:
    """Return the key of a session, if it has one.

    Raises:
        Undecipherable: If the installation's key is not the one that it was sealed under.
    """
    try:
        token = path(session_pk).read_bytes()
    except FileNotFoundError:
        return None
    return encryption.decrypt(token)


def make(session_pk: int) -> bytes:
    """Return the key of a session, and give it one if it has none. Raises as `of`.

    Raises:
        OSError: If the disk does not take it.
    """
    file = path(session_pk)
    while (key := of(session_pk)) is None:  # of two processes that make one, the first has made it
        file.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write(file, encryption.encrypt(secrets.token_bytes(KEY_BYTES)), replace=False)
    return key


def destroy(session_pk: int) -> None:
    """Overwrite a session's key, and delete it."""
    file = path(session_pk)
    try:
        with file.open("r+b") as opened:
            opened.write(bytes(file.stat().st_size))
            opened.flush()
            os.fsync(opened.fileno())
    except FileNotFoundError:
        return
    file.unlink(missing_ok=True)


def rotate() -> int:
    """Seal the keys anew that another than the installation's first has sealed, and return how many."""
    return key_rotation.rotate_files(path(0).parent.glob(f"*{SUFFIX}"))
