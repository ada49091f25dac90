"""What holds for every endpoint: methods, query parameters, Accept, unknown paths, sizes."""

from __future__ import annotations

import pytest

from tests.proxy.pilosa_http.conftest import PROTOBUF, Answer

# Each path with the one method that it has, or one of them.
PATHS = [
    ("GET", "/schema"),
    ("GET", "/index"),
    ("GET", "/index/zz"),
    ("DELETE", "/index/zz/field/f"),
    ("POST", "/index/zz/field/f/import"),
    ("POST", "/index/zz/field/f/import-roaring/0"),
    ("GET", "/export?index=zz&field=f&shard=0"),
    ("GET", "/status"),
    ("GET", "/info"),
    ("GET", "/version"),
    ("POST", "/recalculate-caches"),
    ("GET", "/internal/nodes"),
    ("GET", "/internal/fragment/nodes?index=zz&shard=0"),
    ("GET", "/internal/shards/max"),
    ("POST", "/internal/translate/keys"),
    ("POST", "/internal/index/zz/attr/diff"),
    ("POST", "/internal/index/zz/field/f/attr/diff"),
]


def test_a_wrong_method_is_a_405_without_a_body_or_a_type(both):
    for method, path in PATHS:
        for wrong in ("PUT", "OPTIONS", "HEAD", "GET" if method == "POST" else "PATCH"):
            assert both.ask(wrong, path) == Answer(405, b"", None), path


def test_the_probe_of_go_pilosa_for_import_roaring(both):
    assert both.ask("GET", "/index/zz/field/f/import-roaring/0").status == 405


@pytest.mark.parametrize("path", ["/schema", "/index/zz", "/status", "/export", "/internal/fragment/nodes", "/version"])
def test_an_unknown_query_parameter_is_named(both, path):
    needed = {"/export": "index=a&field=b&shard=0", "/internal/fragment/nodes": "index=a&shard=0"}.get(path, "")
    answer = both.ask("GET", f"{path}?{needed}&foo=1")
    assert answer == Answer(400, b'{"error":"foo is not a valid argument"}\n', "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/export", "index"),
        ("/export?index=a&field=&shard=1", "field"),
        ("/export?index=a&field=b", "shard"),
        ("/internal/fragment/nodes?index=a", "shard"),
        ("/internal/fragment/nodes?shard=0&foo=1", "index"),
    ],
)
def test_a_missing_query_parameter_is_named(both, path, missing):
    assert both.ask("GET", path).body == b'{"error":"%b is required"}\n' % missing.encode()


def test_shards_max_takes_any_query_parameter(both):
    assert both.ours.ask("GET", "/internal/shards/max?foo=1").status == 200


@pytest.mark.parametrize("path", ["/schema", "/index", "/index/zz", "/status", "/info", "/version", "/internal/nodes"])
def test_who_accepts_no_json_gets_none(both, path):
    for accept in ("text/html", "application/json, text/html", "text/plain"):
        expected = Answer(406, b"JSON only acceptable response\n", "text/plain; charset=utf-8")
        assert both.ask("GET", path, Accept=accept) == expected
    for accept in ("application/json", "*/*", "*/json", "application/*"):
        assert both.ours.ask("GET", path, Accept=accept).status == both.theirs.ask("GET", path, Accept=accept).status != 406


@pytest.mark.parametrize("path", ["/index/zz/field/f/import", "/index/zz/field/f/import-roaring/0", "/internal/translate/keys"])
def test_protobuf_alone_goes_in_and_out_of_imports(both, path):
    wrong_type = both.ask("POST", path, Accept=PROTOBUF["Accept"], Content_Type="application/x-protobuf; charset=utf-8")
    assert wrong_type == Answer(415, b"Unsupported media type\n", "text/plain; charset=utf-8")
    wrong_accept = both.ask("POST", path, Accept="application/x-protobuf, */*", Content_Type=PROTOBUF["Content-Type"])
    assert wrong_accept == Answer(406, b"Not acceptable\n", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "path", ["/index/", "/index/zz/", "/index/zz/field", "/index/zz/field/f/import-value", "/internal/", "/internal/slices/max"]
)
def test_an_unknown_path_is_a_404_in_pilosas_words(both, path):
    assert both.ask("GET", path) == Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")


def test_our_pages_stay_where_they_are(product):
    assert b"picapweb" in product.ask("GET", "/", Accept="text/html").body


def test_a_body_that_is_too_large_is_not_read(product, settings):
    settings.IMPORT_MAX_BYTES = 100
    index = product.make({"f": {}})
    for path in (f"/index/{index}/field/f/import", f"/index/{index}/field/f/import-roaring/0", "/internal/translate/keys"):
        answer = product.protobuf(path, bytes(101))
        assert answer.status == 413
        assert b"a body of 101 bytes is more than the 100 that are taken (PICAPWEB_IMPORT_MAX_BYTES)" in answer.body
    assert product.ask("POST", "/schema", b" " * 101).status == 413
    assert product.ask("POST", "/index/other", b" " * 101).status == 413
    assert product.ask("POST", "/index/other", b"{}" + b" " * 98).status == 200
