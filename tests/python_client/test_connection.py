"""What a connection can do wrong, against real sockets; and who is let in."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from picapweb_client import Away, Client, Gone, Job, NotAllowed, PicapwebError, QueryError, QueryLimit, Timeout
from tests.ports import free_port
from tests.server import Server


def test_nobody_is_there():
    with Client(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(Away, match="refused") as away:
        client.count()
    assert away.value.status is None


def test_the_url_must_be_one():
    with pytest.raises(ValueError, match="localhost:11000"):
        Client("localhost:11000")


HELD: list[socket.socket] = []  # those that are not answered stay open


def serve(*answers: bytes | None) -> int:
    """A port at which each connection is answered with the next of these bytes and closed; None: it is not answered."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with listener:
            for answer in answers:
                connection, _ = listener.accept()
                HELD.append(connection)
                connection.recv(65536)
                if answer is not None:
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=run, daemon=True).start()
    return int(listener.getsockname()[1])


def test_nobody_answers():
    with Client(f"http://127.0.0.1:{serve(None)}", timeout=0.1) as client, pytest.raises(Timeout) as late:
        client.count()
    assert isinstance(late.value, TimeoutError)


def test_an_answer_that_breaks_off_is_no_answer(tmp_path: Path):
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with Client(f"http://127.0.0.1:{serve(half)}") as client, pytest.raises(Away, match="broke off"):
        client.carve("tcp", tmp_path / "out.pcap")
    assert list(tmp_path.iterdir()) == []


def test_a_connection_that_is_closed_unanswered_is_tried_again_for_questions_only():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
    with Client(f"http://127.0.0.1:{serve(b'', answer)}") as client:
        assert client.interfaces() == []
    with Client(f"http://127.0.0.1:{serve(b'', answer)}") as client, pytest.raises(Away):
        client.capture("lo")


@pytest.mark.parametrize(("status", "kind"), [(503, Away), (502, Away), (500, PicapwebError)])
def test_errors_that_are_no_problems(status: int, kind: type[PicapwebError]):
    page = b"<html>Bad Gateway</html>"
    answer = b"HTTP/1.1 %d No\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (status, len(page), page)
    with Client(f"http://127.0.0.1:{serve(answer)}") as client, pytest.raises(PicapwebError, match="Bad Gateway") as error:
        client.count()
    assert type(error.value) is kind and error.value.status == status


@pytest.mark.parametrize(
    ("status", "title", "kind"),
    [
        (400, "Bad Request", PicapwebError),
        (400, "The query cannot be answered", QueryError),
        (401, "Unauthorized", NotAllowed),
        (403, "Forbidden", NotAllowed),
        (410, "Gone", Gone),
        (413, "Content Too Large", PicapwebError),
        (413, "The query cannot be answered", QueryLimit),
        (504, "The query cannot be answered", QueryLimit),
        (503, "Service Unavailable", Away),
    ],
)
def test_problems_are_told_apart(status: int, title: str, kind: type[PicapwebError]):
    problem = json.dumps({"status": status, "title": title, "detail": "so it is", "option": "q", "more": 1}).encode()
    answer = b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%b" % (status, len(problem), problem)
    with Client(f"http://127.0.0.1:{serve(answer)}") as client, pytest.raises(PicapwebError, match="so it is") as error:
        client.count("tcp")
    assert type(error.value) is kind
    assert (error.value.status, error.value.title, error.value.option) == (status, title, "q")
    assert error.value.members["more"] == 1


def test_a_job_is_polled_where_no_stream_of_events_is_to_be_had():
    def answer(status: int, text: bytes) -> bytes:
        return b"HTTP/1.1 %d So\r\nContent-Length: %d\r\n\r\n%b" % (status, len(text), text)

    told = b'{"id": 3, "url": "/jobs/3/", "name": "a", "kind": "file", "state": "%b"}'
    running, done = answer(200, told % b"running"), answer(200, told % b"done")
    refused = answer(503, b'{"title": "Service Unavailable", "detail": "16 event streams are open"}')
    cut = answer(200, b"event: job\ndata: " + told % b"running" + b"\n\n")
    for events in (refused, cut.replace(b"Content-Length: ", b"Content-Length: 1")):
        with Client(f"http://127.0.0.1:{serve(running, events, running, done)}") as client:
            assert client.job(3).wait().state == "done"


def test_the_token_is_sent():
    seen = []
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        seen.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    with Client(f"http://127.0.0.1:{listener.getsockname()[1]}/", token="secret") as client:
        client.interfaces()
    thread.join(10)
    assert b"Authorization: Token secret\r\n" in seen[0]


def test_connections_are_kept(client: Client, server: Server, job: Job):
    def ports() -> set[int]:
        import psutil

        mine = psutil.Process().net_connections("tcp")
        return {one.laddr.port for one in mine if one.raddr and one.raddr.port == server.port and one.status == "ESTABLISHED"}

    client.count(jobs=job)
    before = ports()
    for _ in range(3):
        client.count(jobs=job)
        client.pql("Count(Row(tcp=SYN))")
        list(client.packets(jobs=job, page_size=20))
        client.carve("tcp", jobs=job)
    assert ports() and ports() <= before  # the server ends one that has had nothing to do for long


def test_an_index_that_is_not_there(client: Client, job: Job):
    from picapweb_client import NotFound

    with pytest.raises(NotFound, match="no index 'other'"):
        client.count(index="other")
