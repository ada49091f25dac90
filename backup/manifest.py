"""What a backup is: a folder of parts, and a manifest with the sha256 of each. The manifest is written last."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NAME = "manifest.json"
FORMAT = 1
CHUNK = 1 << 20
DATABASE, INDEX, CAPTURES, SECRET = "database.dump", "index/data.mdb", "captures", "secret_key"


class BackupError(Exception):
    """It cannot be backed up or restored; the text is for the user."""


@dataclass
class Manifest:
    """made: RFC 3339. backend: of the index ("embedded", "pilosa"). data: the data folder that it was made of. index_format: that
    of the embedded store, where it is a part. facts: jobs, batches, packets by index. parts: path -> [bytes, sha256]."""

    made: str
    backend: str
    data: str
    postgres: str
    index_format: int | None
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    parts: dict[str, list[Any]] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """On the disk when this returns: a backup without one is none."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1)
        with (folder / NAME).open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Raises BackupError."""
        try:
            said = json.loads((folder / NAME).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BackupError(f"{folder} is no backup, or one that was broken off: it has no {NAME}") from None
        except (OSError, ValueError) as error:
            raise BackupError(f"{folder / NAME} cannot be read: {error}") from None
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            made = said.get("format") if isinstance(said, dict) else said
            raise BackupError(f"{folder} is of format {made!r}, and this version reads {FORMAT}: use the one that made it")
        del said["format"]
        try:
            return cls(**said)
        except TypeError as error:
            raise BackupError(f"{folder / NAME} is damaged: {error}") from None

    def captures(self) -> Iterator[str]:
        """Paths below the data folder."""
        return (name for name in self.parts if name.startswith(f"{CAPTURES}/"))


def copy(source: Path, target: Path) -> list[Any]:
    """Copies a file; [bytes, sha256] of what was copied. The copy is on the disk when this returns. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as read, target.open("xb") as write:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
    return [size, digest.hexdigest()]


def measure(path: Path) -> list[Any]:
    """[bytes, sha256] of a file, synced to the disk. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return [path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()]


def verify(folder: Path, manifest: Manifest) -> None:
    """Every part is there, whole and unchanged. Raises BackupError, naming the first one that is not."""
    for name, (size, sha256) in manifest.parts.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BackupError(f"{name!r} does not lie in the backup")
        try:
            found = measure(path)
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}") from None
        if found != [size, sha256]:
            what = f"{found[0]} bytes and not {size}" if found[0] != size else f"sha256 {found[1]} and not {sha256}"
            raise BackupError(f"{path} is not as it was backed up: it has {what}")
