"""What comes out of a decompression: written as it comes, up to a limit, and looked at whether it is compressed once more."""

from __future__ import annotations

from typing import BinaryIO

from capture.packets.errors import NotACapture, PacketsError
from capture.packets.sources.sniffing import compression


class Enough(Exception):
    """All that was wanted has been written."""


class Plain:
    """The plain bytes of a `kind` ("gzip", "zstd") stream, into `file`.

    max_bytes: one more is a PacketsError. wanted: where given, Enough is raised at so many.
    """

    def __init__(self, kind: str, file: BinaryIO, max_bytes: int, wanted: int | None = None) -> None:
        self.kind = kind
        self.written = 0
        self._file, self._max, self._wanted = file, max_bytes, wanted
        self._head = b""

    def write(self, out: bytes) -> None:
        """Raises PacketsError past the limit, NotACapture for what is compressed twice, OSError, Enough."""
        self.written += len(out)
        if self.written > self._max:
            raise PacketsError(
                f"decompressed, the file is larger than {self._max:,} bytes (PICAPWEB_MAX_RATIO, PICAPWEB_MAX_CAPTURE_BYTES)"
            )
        if len(self._head) < 4:
            self._head += out[:4]
            inner = compression(self._head)
            if inner:
                raise NotACapture(f"{inner} in {self.kind}: one level of compression is read, so decompress it once first")
        self._file.write(out)
        if self._wanted is not None and self.written >= self._wanted:
            raise Enough

    def sentence(self, what: str, read: int) -> str:
        """Where and how the stream broke off; read: compressed bytes."""
        return f"the {self.kind} stream {what} (after {self.written} decompressed bytes, at most {read} compressed ones)"
