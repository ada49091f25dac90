"""What is deleted is gone with its keys, in every process; imports are waited for; what the engine refuses is not made."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from indexing import translation
from indexing.backends.base import BackendError
from indexing.client import tables
from indexing.client.engine import engine
from indexing.models import TranslationField, TranslationValue
from indexing.translation_cache import Pairs
from tests.proxy.pilosa_http.messages import bits, packed, translate


def fill(product, rows, columns, field="k"):
    body = bits(product.index, field, rows, columns)
    answer = product.protobuf(f"/index/{product.index}/field/{field}/import", body)
    assert answer.status == 200, answer


def ids(product, field, *names):
    return product.protobuf("/internal/translate/keys", translate(product.index, field, names)).body


def test_an_index_made_again_begins_empty_and_its_keys_with_1(product):
    product.make({"k": {"keys": True}}, keys=True)
    fill(product, ["a", "b"], ["x", "y"])
    assert product.ask("DELETE", f"/index/{product.index}").status == 200
    assert not TranslationField.objects.exists()
    assert not TranslationValue.objects.exists()
    product.make({"k": {"keys": True}}, keys=True)
    assert product.exported("k") == []
    fill(product, ["b"], ["z"])
    assert product.exported("k") == ["b,z"]
    assert (ids(product, "k", "b"), ids(product, "", "z")) == (packed(3, [1]), packed(3, [1]))


def test_a_field_made_again_begins_empty_and_others_keep_theirs(product):
    product.make({"k": {"keys": True}, "other": {"keys": True}}, keys=True)
    fill(product, ["a", "b"], ["x", "y"])
    fill(product, ["o"], ["y"], "other")
    assert product.ask("DELETE", f"/index/{product.index}/field/k").status == 200
    assert set(TranslationField.objects.values_list("field", flat=True)) == {"other", "_columns"}
    assert product.ask("POST", f"/index/{product.index}/field/k", '{"options":{"keys":true}}').status == 200
    fill(product, ["c"], ["y"])
    assert (product.exported("k"), product.exported("other")) == (["c,y"], ["o,y"])


@pytest.fixture
def another_process(monkeypatch):
    """A context in which this process knows no keys, as another one does; what it knew is back behind it."""

    class Another:
        def __enter__(self):
            self.patch = pytest.MonkeyPatch()
            for name, empty in (("_rows", Pairs()), ("_values", Pairs()), ("_epochs", {})):
                self.patch.setattr(translation, name, empty)

        def __exit__(self, *_):
            self.patch.undo()

    return Another()


def test_a_process_that_knew_the_keys_forgets_them_when_another_deletes(product, another_process):
    product.make({"k": {"keys": True}}, keys=True)
    fill(product, ["a", "b"], ["x", "y"])
    assert product.exported("k") == ["a,x", "b,y"]
    with another_process:
        product.ask("DELETE", f"/index/{product.index}")
        product.make({"k": {"keys": True}}, keys=True)
        fill(product, ["b", "c"], ["z", "x"])
    assert product.exported("k") == ["b,z", "c,x"]
    fill(product, ["a", "b"], ["y", "y"])
    assert product.exported("k") == ["b,z", "b,y", "c,x", "a,y"]


def test_a_deletion_waits_for_an_import_and_says_so_if_it_takes_too_long(product, monkeypatch):
    product.make({"k": {"keys": True}}, keys=True)
    begun, end = threading.Event(), threading.Event()

    def importing():
        with transaction.atomic():
            assert translation.shares_epoch(product.index, translation.epoch(product.index))
            begun.set()
            end.wait(30)
        connection.close()

    thread = threading.Thread(target=importing)
    thread.start()
    begun.wait(30)
    monkeypatch.setattr(tables, "PATIENCE_SECONDS", 0.05)
    answer = product.ask("DELETE", f"/index/{product.index}")
    assert (answer.status, b"is being imported to; try again later" in answer.body) == (503, True)
    assert product.ask("GET", f"/index/{product.index}").status == 200
    end.set()
    thread.join()
    assert product.ask("DELETE", f"/index/{product.index}").status == 200


def test_what_the_engine_refuses_is_not_in_the_schema(product, monkeypatch):
    product.make({"f": {}})

    def refuse(*_):
        raise BackendError("no room")

    for method in ("create_index", "create_field", "delete_index", "delete_field"):
        monkeypatch.setattr(type(engine()), method, refuse)
    for method, path in [("POST", "/index/other"), ("POST", f"/index/{product.index}/field/g")]:
        answer = product.ask(method, path)
        assert (answer.status, answer.body) == (503, b"the index refused: no room\n")
    for path in (f"/index/{product.index}/field/f", f"/index/{product.index}"):
        assert product.ask("DELETE", path).status == 503
    monkeypatch.undo()
    assert [(index.name, list(index.fields)) for index in tables.read_all()] == [(product.index, ["f"])]
