"""The connection to a server: requests that are answered with JSON or a stream, over connections that are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as NoAnswer
from urllib3.response import BaseHTTPResponse

from picapweb_client.errors import Asked, Away, PicapwebError, Timeout, error_of

PIECE = 1 << 18  # bytes that are sent or read at a time
FORM = "application/x-www-form-urlencoded"
LONGEST_URL = 4000  # characters of a query string
Parameters = Sequence[tuple[str, str]]
Body = bytes | IO[bytes] | Any


class Http:
    """See above. token: of `Authorization: Token ...`; timeout: seconds for a connection, and between two bytes of an answer.

    Safe to be shared by threads."""

    def __init__(self, url: str, token: str | None, timeout: float, pool: urllib3.PoolManager | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"url must be like http://localhost:11000, not {url!r}")
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._pool = pool or urllib3.PoolManager(maxsize=8, blocksize=PIECE)
        self._headers = {"Accept": "application/json", "User-Agent": "picapweb-client"}
        if token is not None:
            self._headers["Authorization"] = f"Token {token}"

    def close(self) -> None:
        """Closes the kept connections."""
        self._pool.clear()

    def json(
        self,
        method: str,
        path: str,
        parameters: Parameters = (),
        *,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        query: Asked = "",
        timeout: float | None = None,
    ) -> Any:
        """What a request is answered with; None for an empty answer. query: the question's text, for errors.

        Raises PicapwebError."""
        with self.stream(method, path, parameters, body=body, headers=headers, query=query, timeout=timeout) as answer:
            return self.read_json(answer)

    @staticmethod
    def read_json(answer: BaseHTTPResponse) -> Any:
        """The whole of an answer; None for an empty one."""
        data = answer.read()
        return json.loads(data) if data else None

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        parameters: Parameters = (),
        *,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        query: Asked = "",
        timeout: float | None = None,
    ) -> Iterator[BaseHTTPResponse]:
        """The answer as a stream, in a `with`: what goes wrong while it is read there is a PicapwebError, too; an answer that
        breaks off is never taken for a whole one."""
        seconds = self.timeout if timeout is None else timeout
        with _as_ours(self.url, seconds):
            answer = self._open(method, path, parameters, body, headers, seconds)
            try:
                if answer.status >= 400:
                    raise error_of(answer.status, answer.read(), query)
                yield answer
            except BaseException:
                answer.close()  # what is left of it would be read as the answer to the next request
                raise
            if _is_read(answer):
                answer.release_conn()
            else:
                answer.close()

    def _open(
        self, method: str, path: str, parameters: Parameters, body: Body, headers: Mapping[str, str] | None, seconds: float
    ) -> BaseHTTPResponse:
        address = f"{self.url}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        # A kept connection that the server has just closed: what changes nothing is asked once more.
        tries = 2 if method in ("GET", "HEAD") else 1
        while True:
            tries -= 1
            try:
                return self._pool.request(
                    method,
                    address,
                    body=body,
                    headers={**self._headers, **(headers or {})},
                    timeout=urllib3.Timeout(connect=min(seconds, 30.0), read=seconds),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
            except ProtocolError:
                if not tries:
                    raise

    def question(self, path: str, parameters: Parameters, query: Asked = "") -> Any:
        """JSON of a question: a GET, or, where a URL would be too long, the same as a form by POST."""
        with self.open_question(path, parameters, query) as answer:
            return self.read_json(answer)

    @contextmanager
    def open_question(self, path: str, parameters: Parameters, query: Asked = "") -> Iterator[BaseHTTPResponse]:
        """The same as a stream."""
        if fits_url(parameters):
            with self.stream("GET", path, parameters, query=query) as answer:
                yield answer
        else:
            with self.stream(
                "POST", path, body=urlencode(parameters).encode(), headers={"Content-Type": FORM}, query=query
            ) as answer:
                yield answer


def fits_url(parameters: Parameters) -> bool:
    """Whether a question's parameters are short enough for a URL."""
    return len(urlencode(parameters)) <= LONGEST_URL


def _is_read(answer: BaseHTTPResponse) -> bool:
    """Whether an answer was read to its end, so that its connection can be used again."""
    return bool(getattr(answer, "closed", False)) or getattr(answer, "length_remaining", None) == 0


@contextmanager
def _as_ours(url: str, seconds: float) -> Iterator[None]:
    try:
        yield
    except (NewConnectionError, ConnectTimeoutError) as error:
        raise Away(f"{url} is away: {_reason(error)}") from error
    except NoAnswer as error:
        raise Timeout(f"no answer from {url} within {seconds:g} s") from error
    except ProtocolError as error:
        raise Away(f"{url} broke off: {_reason(error)}") from error
    except HTTPError as error:
        raise PicapwebError(f"{url}: {error}") from error


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    return str(getattr(cause, "strerror", None) or cause or error)
