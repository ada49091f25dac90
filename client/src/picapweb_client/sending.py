"""A capture on its way to the server: from a path, bytes or a file object, read piece by piece."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

Source = str | os.PathLike[str] | bytes | IO[bytes]


class Sending:
    """A file as urllib3 reads it. size: bytes that will be read, None if it cannot be known: then it is sent in chunks."""

    def __init__(self, file: IO[bytes], name: str | None, size: int | None) -> None:
        self._file, self.name, self.size = file, name, size
        self._left = size
        self.sent: Callable[[int], None] = lambda _: None

    def read(self, size: int = -1) -> bytes:
        """The next piece. Raises OSError where a file became shorter meanwhile: the server would wait for the rest."""
        if self._left is not None:
            size = self._left if size < 0 else min(size, self._left)
        piece = self._file.read(size) if size else b""
        if not isinstance(piece, bytes):
            raise TypeError("a capture is bytes: open the file with mode 'rb'")
        if self._left is not None:
            self._left -= len(piece)
            if not piece and self._left:
                raise OSError(f"{self.name or 'the file'} became {self._left:,} bytes shorter while it was sent")
        self.sent(len(piece))
        return piece


@contextmanager
def sending(source: Source) -> Iterator[Sending]:
    """What is to be sent of a path (opened and closed here), bytes, or a file object (from where it stands to its end)."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield Sending(io.BytesIO(source), None, len(source))
    elif isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            yield Sending(file, Path(source).name, os.fstat(file.fileno()).st_size)
    else:
        name = getattr(source, "name", None)
        yield Sending(source, Path(name).name if isinstance(name, str) else None, _rest(source))


def _rest(file: IO[bytes]) -> int | None:
    """Bytes from where a file stands to its end; None for pipes and the like."""
    try:
        if not file.seekable():
            return None
        here = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(here)
    except (AttributeError, OSError):
        return None
    return end - here
