"""The surface as a server serves it: over one connection that is kept, each answer with its length."""

from __future__ import annotations

import http.client
import json

import pytest

from tests.product_servers import Peer
from tests.proxy.pilosa_http.conftest import PROTOBUF
from tests.proxy.pilosa_http.messages import bits, translate
from tests.server import Server


@pytest.fixture
def server(embedded_product: Peer) -> Server:
    assert embedded_product.server is not None
    return embedded_product.server


def test_a_client_s_whole_visit(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    sockets = set()

    def ask(method, path, body=None, **headers):
        connection.request(method, path, body, headers)
        sockets.add(connection.sock)
        answer = connection.getresponse()
        data = answer.read()
        if method != "HEAD" and answer.status != 204:
            assert int(answer.headers["Content-Length"]) == len(data)
        return answer.status, data

    assert ask("POST", "/index/visit", b'{"options":{"keys":true}}') == (200, b'{"success":true}\n')
    assert ask("POST", "/index/visit/field/k", b'{"options":{"keys":true}}') == (200, b'{"success":true}\n')
    node = json.loads(ask("GET", "/internal/fragment/nodes?index=visit&shard=0")[1])[0]
    assert node["uri"] == {"scheme": "http", "host": "127.0.0.1", "port": server.port}
    assert ask("GET", "/index/visit/field/k/import-roaring/0") == (405, b"")
    assert ask("HEAD", "/schema") == (405, b"")
    many = [f"c{i}" for i in range(20000)]
    body = bits("visit", "k", ["é", "b"] * 10000, many)
    assert ask("POST", "/index/visit/field/k/import", body, **PROTOBUF) == (200, b"")
    assert ask("POST", "/internal/translate/keys", translate("visit", "k", ["b"]), **PROTOBUF) == (200, b"\x1a\x01\x02")
    status, lines = ask("GET", "/export?index=visit&field=k&shard=0", Accept="text/csv")
    expected = [f"é,{name}" for name in many[::2]] + [f"b,{name}" for name in many[1::2]]
    assert (status, lines.decode().splitlines()) == (200, expected)
    assert ask("POST", "/recalculate-caches") == (204, b"")
    assert ask("DELETE", "/index/visit") == (200, b'{"success":true}\n')
    assert ask("GET", "/index/visit") == (404, b"Index visit Not Found\n")
    assert len(sockets) == 1


def test_two_web_processes_know_the_same(server):
    """Each connection may be another process's."""
    for round_ in range(5):
        assert server.ask("POST", "/index/shared", b"{}")[0] == 200
        assert server.ask("POST", "/index/shared/field/k", b'{"options":{"keys":true}}')[0] == 200
        for name in ("a", "b") if round_ % 2 else ("b", "a"):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.request("POST", "/index/shared/query", f'Set(1, k="{name}") Rows(k)'.encode())
            seen = json.loads(connection.getresponse().read())["results"][1]["keys"]
            connection.close()
        assert seen == (["a", "b"] if round_ % 2 else ["b", "a"])
        assert server.ask("DELETE", "/index/shared")[0] == 200
