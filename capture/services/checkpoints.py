"""What a second pass knows of a job's conversations, in a file: the arrays of its states, and values that may not be imported."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

_NAME = "conversations-"


def write(job: int, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Writes a new file, to the disk; its path, relative to the data folder. Raises OSError."""
    path = f"captures/{job}/{_NAME}{secrets.token_hex(8)}.npz"
    target = Path(settings.PICAPWEB_DATA) / path
    try:
        with target.open("xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        target.unlink(missing_ok=True)
        raise
    return path


def read(path: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file. Raises OSError, ValueError if it is damaged."""
    try:
        with np.load(Path(settings.PICAPWEB_DATA) / path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (BadZipFile, EOFError, KeyError) as error:
        raise ValueError(str(error)) from error


def remove_others(job: int, path: str) -> None:
    """Removes the job's files but that one ("": all): those before it, and those of workers that were ended."""
    for other in (Path(settings.PICAPWEB_DATA) / "captures" / str(job)).glob(f"{_NAME}*"):
        if other.name != Path(path).name:
            other.unlink(missing_ok=True)
