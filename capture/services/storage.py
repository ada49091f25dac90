"""Where captures are kept: uploads come in here, are hashed on the way, and move into their job's folder."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from capture.packets.batch import CaptureInfo
from capture.packets.errors import PacketsError
from capture.packets.sources import first_bytes, open_capture, sniff
from capture.services.errors import Refused

CHUNK = 1 << 20
HEAD = 16  # bytes that tell what a file is
LEFT_OVER_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Upload:
    """A received file that no job has yet. size in bytes, sha256 of what came."""

    path: Path
    name: str
    size: int
    sha256: str

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


def incoming_folder() -> Path:
    """Where uploads are written before they have a job; the same file system as the captures."""
    folder = Path(settings.CAPTURES_DIR) / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def clean_name(name: str) -> str:
    """The last part of a path as a browser or a person gave it, without control characters."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return "".join(c if c.isprintable() else "�" for c in last)[:255]


class Receiver:
    """Writes an upload to disk as it comes, and hashes it on the way. Nothing of it is held in memory."""

    def __init__(self, name: str) -> None:
        self.name = clean_name(name)
        self.path = incoming_folder() / uuid.uuid4().hex
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = self.path.open("xb")

    def write(self, chunk: bytes) -> None:
        """Raises Refused (413 past the limit, 507 when the disk is full); the file is gone then."""
        self.size += len(chunk)
        try:
            if self.size > settings.MAX_UPLOAD_BYTES:
                raise too_large(None)
            self._hash.update(chunk)
            self._file.write(chunk)
        except OSError as error:
            self.abort()
            raise disk_error(error) from error
        except Refused:
            self.abort()
            raise

    def finish(self) -> Upload:
        """The whole file, on disk: who was told that it is here need not send it again. Raises Refused if it is empty."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            self.abort()
            raise disk_error(error) from error
        if self.size == 0:
            self.abort()
            raise Refused("the upload is empty: no file came, or a file of 0 bytes")
        return Upload(self.path, self.name, self.size, self._hash.hexdigest())

    def abort(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def receive(chunks: Iterable[bytes], name: str) -> Upload:
    """Receives a whole upload. Raises Refused."""
    receiver = Receiver(name)
    try:
        for chunk in chunks:
            receiver.write(chunk)
    except BaseException:
        receiver.abort()
        raise
    return receiver.finish()


def too_large(size: int | None) -> Refused:
    """The answer to an upload past the limit; `size` in bytes where it is known."""
    said = f"{size:,} bytes" if size is not None else "it"
    return Refused(f"the upload is too large: {said} is more than PICAPWEB_MAX_UPLOAD_BYTES = {settings.MAX_UPLOAD_BYTES:,}", 413)


def disk_error(error: OSError) -> Refused:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refused("the disk of the data folder is full: free some space, then try again", 507)
    return Refused(f"the upload could not be written: {error.strerror}", 507)


def examine(path: Path) -> tuple[str, CaptureInfo | None]:
    """What a file is, by its content: its compression ("", "gzip" or "zstd") and, where it is not compressed, its head.

    Raises Refused if it is no capture: nothing in it could ever be read."""
    try:
        with path.open("rb") as file:
            kind = sniff(file.read(HEAD))
        if kind in ("gzip", "zstd"):
            _, inner, broken = first_bytes(path, HEAD)
            if broken and len(inner) < HEAD:
                raise Refused(f"not a capture: {broken}")
            sniff(inner)
            return kind, None
        with open_capture(path) as source:
            return "", source.info
    except PacketsError as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise Refused(f"the file cannot be read: {error.strerror}") from None


def import_path(name: str) -> Path:
    """The server-side file of that name; it must lie in the import folder, links resolved. Raises Refused."""
    folder = Path(settings.IMPORT_DIR).resolve()
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise Refused(f"{name!r} is not in the import folder", option="filename")
        if not path.is_file():
            raise Refused(f"no file {name!r} in the import folder ({folder})", option="filename")
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that lead to one another
        raise Refused(f"{name!r}: {error}", option="filename") from None
    return path


@contextmanager
def opened_import(path: Path) -> Iterator[Path]:
    """Holds a server-side file open and answers a path to what is held, whatever the name comes to mean meanwhile.

    Where a name of the import folder leads is looked at after it was opened: a link that is put there between looking and
    opening gains nothing. (Names of other places are given by who works on this machine, with `picap`.)
    Raises Refused: no regular file, or not in the import folder any more. OSError."""
    # Without waiting: nobody need ever write to a pipe.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        held = Path(f"/proc/self/fd/{file}")
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise Refused(f"{path.name!r} is no regular file", option="filename")
        folder = Path(settings.IMPORT_DIR).resolve()
        if path.is_relative_to(folder) and not Path(os.readlink(held)).is_relative_to(folder):
            raise Refused(f"{path.name!r} is not in the import folder", option="filename")
        yield held
    finally:
        os.close(file)


def copy_hashing(source: Path, target: Path) -> str:
    """Copies a file in pieces; its sha256. The copy is on disk when this returns. Raises OSError."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as write:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
    return digest.hexdigest()


def remove_job_folder(job: int) -> None:
    """Removes a deleted job's captures and locators."""
    shutil.rmtree(Path(settings.CAPTURES_DIR) / str(job), ignore_errors=True)


def sweep_incoming() -> None:
    """Removes uploads that were broken off by a killed process long ago."""
    for path in incoming_folder().iterdir():
        try:
            if time.time() - path.stat().st_mtime > LEFT_OVER_SECONDS:
                path.unlink()
        except FileNotFoundError:
            continue


def sha256_of(path: Path) -> str:
    """sha256 of a file, read in pieces. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
