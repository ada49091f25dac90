"""A small disk of our own, that can be full: a tmpfs (root only)."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

CHUNK = b"\0" * (1 << 20)


class Disk:
    """A context manager: `folder` is the disk, or an ordinary folder where none can be mounted (then `can_be_full` is False)."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self._size = folder, size
        self.can_be_full = False

    def __enter__(self) -> Disk:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={self._size},mode=0700", "tmpfs", str(self.folder)]
        self.can_be_full = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
        return self

    def __exit__(self, *_: object) -> None:
        if self.can_be_full:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False, capture_output=True)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self) -> None:
        """Takes all that is left, to the last byte."""
        if not self.can_be_full:
            raise RuntimeError("this disk is the machine's own")
        handle = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for chunk in (CHUNK, CHUNK[:1]):
                self._write_until_full(handle, chunk)
        finally:
            os.close(handle)

    @staticmethod
    def _write_until_full(handle: int, chunk: bytes) -> None:
        try:
            while os.write(handle, chunk):
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

    def free(self) -> None:
        """Gives it back."""
        self._filler.unlink(missing_ok=True)
