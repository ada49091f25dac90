"""SECRET_KEY: from the environment; on one's own machine made once, and kept in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from picapweb import environment
from picapweb.embedded.data import DataFolder, DataFolderError


def secret_key(data: Path, *, local: bool) -> str:
    """The key. In server mode SECRET_KEY must be set: several machines must share it. Raises BadSetting."""
    given = environment.raw("SECRET_KEY")
    if given is not None:
        return given
    if not local:
        raise environment.BadSetting("SECRET_KEY (or SECRET_KEY_FILE) must be set in server mode")
    file = data / "secret_key"
    try:
        if not file.exists():
            DataFolder(data).create()
            _write_once(file, secrets.token_urlsafe(48))
        return file.read_text(encoding="ascii").strip()
    except (OSError, DataFolderError) as error:
        raise environment.BadSetting(f"the secret key cannot be kept in {file}: {error}") from error


def _write_once(file: Path, value: str) -> None:
    """Write a file that is whole from the moment it is seen; the first of several writers wins."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="ascii") as stream:
        stream.write(value + "\n")
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
