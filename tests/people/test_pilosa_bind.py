"""The second place to listen: Pilosa's API alone, in one fixed role, without a sign-in."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from capture.sample import sample
from capture.services import create, storage, work
from capture.services.options import parse_options
from picapweb import pilosa_bind
from picapweb.up import Options, pilosa_service
from tests.people.making import HOST, make

COUNT = "Count(Not(Union()))"


def query(client: Client, text: str, index: str = "net"):
    return client.post(f"/index/{index}/query", text, content_type="text/plain")


def test_a_fixed_role_and_pilosas_urls_alone(data, server_mode, settings):
    owner = make("ann", "operator")
    for shared, filter in ((True, "tcp"), (False, "udp")):
        upload = storage.receive(iter([sample()]), "sample.pcap")
        create.from_upload(upload, parse_options({"shared": shared, "filter": filter, "again": True}), owner)
    work.until_idle()
    settings.PILOSA_ONLY = True
    settings.PILOSA_ROLE = "viewer"
    client = Client(headers={"host": HOST})
    shared = query(client, 'Count(Row(transproto="TCP"))').json()["results"][0]
    assert shared > 0
    assert query(client, COUNT).json()["results"] == [shared]
    for path in ("/schema", "/status", "/version", "/internal/nodes", "/healthz"):
        assert client.get(path).status_code == 200, path
    for path in (
        "/",
        "/jobs/",
        "/packets/",
        "/packets/export",
        "/sign-in/",
        "/tokens/",
        "/admin/",
        "/metrics",
        "/audit/",
        "/account/",
    ):
        assert client.get(path).status_code == 404, path
    assert client.post("/jobs/", sample(), content_type="application/vnd.tcpdump.pcap").status_code == 404
    # A viewer writes to no client index, an operator does.
    assert client.generic("POST", "/index/mine").status_code == 403
    settings.PILOSA_ROLE = "operator"
    assert client.generic("POST", "/index/mine").status_code == 200
    assert client.generic("POST", "/index/mine/field/f").status_code == 200
    assert query(client, "Set(1, f=2)", "mine").status_code == 200
    settings.PILOSA_ROLE = "viewer"
    assert query(client, "Set(1, f=3)", "mine").status_code == 403
    assert query(client, "Row(f=2)", "mine").json()["results"][0]["columns"] == [1]
    settings.PILOSA_ROLE = "admin"
    assert query(client, COUNT).json()["results"][0] > shared
    # Pages of other sites are kept out as everywhere.
    refused = client.post("/index/net/query", COUNT, content_type="text/plain", headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    assert Client(headers={"host": "evil.example"}).get("/schema").status_code == 400


def test_addresses():
    assert pilosa_bind.parts_of("") is None
    assert pilosa_bind.parts_of("10.0.0.5:10101") == ("10.0.0.5", 10101)
    assert pilosa_bind.parts_of("[fd00::5]:10101") == ("fd00::5", 10101)
    for wrong in ("10.0.0.5", "host:1", "10.0.0.5:0", "10.0.0.5:65536", "10.0.0.5000:1", "[::1:1"):
        with pytest.raises(pilosa_bind.BadBind, match="PICAPWEB_PILOSA_BIND"):
            pilosa_bind.parts_of(wrong)


def test_it_is_for_server_mode(monkeypatch):
    monkeypatch.setenv("PICAPWEB_PILOSA_BIND", "127.0.0.1:10101")
    assert pilosa_bind.wanted(local=False) == ("127.0.0.1", 10101)
    with pytest.raises(pilosa_bind.BadBind, match="server mode"):
        pilosa_bind.wanted(local=True)


def test_what_up_starts():
    service = pilosa_service(Options(data=Path("/nowhere"), pilosa=("127.0.0.1", 10101)))
    assert service.name == "pilosa"
    assert service.env["PICAPWEB_PILOSA_ONLY"] == "true"
    assert service.argv[service.argv.index("--port") + 1] == "10101"
