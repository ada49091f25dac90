"""/status, /internal/nodes and /internal/fragment/nodes: clients are told to come back to us."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from indexing import store
from tests.pilosa import free_port


def test_the_status_has_pilosas_form_and_names_the_address_that_the_client_used(both):
    ours, theirs = (json.loads(one.ask("GET", "/status").body) for one in (both.ours, both.theirs))
    assert ours.keys() == theirs.keys()
    assert [node.keys() for node in ours["nodes"]] == [node.keys() for node in theirs["nodes"]]
    node = ours["nodes"][0]
    assert node["uri"] == {"scheme": "http", "host": "localhost", "port": 11000}
    assert (ours["state"], node["state"], node["isCoordinator"]) == ("NORMAL", "READY", True)
    assert ours["localID"] == node["id"]


@pytest.mark.parametrize(
    ("host", "uri"),
    [
        ("127.0.0.1:8080", {"scheme": "http", "host": "127.0.0.1", "port": 8080}),
        ("localhost", {"scheme": "http", "host": "localhost", "port": 80}),
        ("[::1]:11000", {"scheme": "http", "host": "[::1]", "port": 11000}),
    ],
)
def test_each_client_is_told_its_own_address_and_the_id_stays(product, host, uri):
    other = json.loads(Client(headers={"host": host}).get("/internal/nodes").content)
    assert other[0]["uri"] == uri
    assert other[0]["id"] == json.loads(product.ask("GET", "/status").body)["localID"]


def test_over_https_the_scheme_is_https(product, settings):
    answer = json.loads(product.client.get("/status", secure=True, headers={"host": "localhost"}).content)
    assert answer["nodes"][0]["uri"] == {"scheme": "https", "host": "localhost", "port": 443}


def test_every_shard_is_ours_also_of_an_index_that_is_not_there(product):
    nodes = product.ask("GET", "/internal/nodes")
    assert product.ask("GET", "/internal/fragment/nodes?index=zz&shard=7") == nodes
    assert len(json.loads(nodes.body)) == 1


def test_a_shard_that_is_no_number_is_a_400(both):
    answer = both.ask("GET", "/internal/fragment/nodes?index=a&shard=x")
    assert (answer.status, answer.body) == (400, b"shard should be an unsigned integer\n")


def test_a_backend_that_is_away_is_said(product, settings):
    settings.INDEX_URL = f"pilosa://127.0.0.1:{free_port()}"
    store.close()
    try:
        answer = json.loads(product.ask("GET", "/status").body)
        assert (answer["state"], answer["nodes"][0]["state"]) == ("DOWN", "DOWN")
        refused = product.ask("POST", "/index/other")
        assert (refused.status, refused.body.startswith(b"the index is away: ")) == (503, True)
    finally:
        store.close()
    assert b"other" not in product.ask("GET", "/schema").body
