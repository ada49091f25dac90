"""What all parts of the client stand on: the connection, and writing an answer to a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from urllib3.response import BaseHTTPResponse

from picapweb_client.http import PIECE, Http, Parameters

if TYPE_CHECKING:
    from picapweb_client.client import Client

PAGE = 200
TAIL = 1024


class Asking:
    """See above."""

    http: Http

    def _client(self) -> Client:
        """Itself: parts are only ever used as parts of a Client."""
        return cast("Client", self)

    def pages(self, path: str, parameters: Parameters = ()) -> Iterator[Any]:
        """The results of a list of the API, page by page as they are taken."""
        page = 1
        while True:
            told = self.http.json("GET", path, [*parameters, ("limit", str(PAGE)), ("page", str(page))])
            yield from told["results"]
            if not told["next"]:
                return
            page += 1

    def download(self, path: str, to: str | Path) -> int:
        """Writes what a GET of a path of the server is answered with to a file; how many bytes."""
        with self.http.stream("GET", path) as answer, written(to) as file:
            return copy(answer, file)[0]


@contextmanager
def written(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to write to that is at `path` only once it is whole: where writing fails, what was there before stays."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def copy(answer: BaseHTTPResponse, file: IO[bytes]) -> tuple[int, bytes]:
    """Writes an answer to a file: how many bytes, and the last of them (at most TAIL)."""
    size, tail = 0, b""
    for piece in answer.stream(PIECE):
        file.write(piece)
        size += len(piece)
        tail = (tail + piece[-TAIL:])[-TAIL:]
    return size, tail
