"""The copies that predicates are found by: made behind the values, gone with them, and nothing that writing values waits for."""

from __future__ import annotations

import ipaddress
import random
import threading

import numpy as np
import pytest
from django.db import connection

from capture.packets.registry import FIELDS
from indexing import predicates as p
from indexing import translation, translation_copy, translation_predicates
from indexing.models import TranslationCopy, TranslationSearch, TranslationValue
from indexing.translation_predicates import rows_matching
from tests.indexing.predicates_in_python import address_of

pytestmark = pytest.mark.django_db(transaction=True)
FIELD = FIELDS["http-hostname"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(translation_copy, "COPIED_FROM", 10)
    monkeypatch.setattr(translation_copy, "COPIED_AT_ONCE", 15)
    monkeypatch.setattr(translation_predicates, "_found", translation_predicates._Found(1 << 20))
    translation.clear_cache()
    yield
    translation.clear_cache()


def add(numbers: range) -> list[int]:
    return translation.resolve("net", {FIELD.name: [f"host-{n}.example".encode() for n in numbers]})[FIELD.name].tolist()


def found(part: bytes = b"host") -> list[int]:
    return rows_matching("net", FIELD, p.Contains(part)).rows.tolist()


def copied() -> list[int]:
    return list(TranslationCopy.objects.order_by("row").values_list("row", flat=True))


def test_only_a_field_that_is_asked_of_and_large_is_copied():
    add(range(9))
    assert len(found()) == 9
    assert not translation_copy.copy_once()
    add(range(9, 30))
    assert not translation_copy.copy_once()
    assert len(found()) == 30
    assert translation_copy.copy_once()
    assert len(copied()) == 15
    assert translation_copy.copy_once()
    assert not translation_copy.copy_once()
    assert copied() == list(range(1, 31))


def test_what_comes_later_is_found_before_and_after_it_is_copied():
    add(range(20))
    assert found(b"-2") == [3]
    while translation_copy.copy_once():
        pass
    add(range(20, 25))
    assert found(b"-2") == [3, 21, 22, 23, 24, 25]
    while translation_copy.copy_once():
        pass
    translation_predicates._found = translation_predicates._Found(1 << 20)
    assert found(b"-2") == [3, 21, 22, 23, 24, 25]


def test_a_copy_goes_with_its_value():
    add(range(20))
    found()
    while translation_copy.copy_once():
        pass
    TranslationValue.objects.filter(row__in=[4, 5]).delete()
    assert copied() == [1, 2, 3, *range(6, 21)]


def test_two_that_copy_share_the_work():
    add(range(100))
    found()

    def work() -> None:
        try:
            while translation_copy.copy_once() or TranslationSearch.objects.get().covered < 100:
                pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert copied() == list(range(1, 101))


def test_writing_values_waits_for_no_index_or_trigger_of_predicates():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'indexing_translationvalue'")
        on = sorted(definition.partition(" USING ")[2] for (definition,) in cursor.fetchall())
        cursor.execute(
            """SELECT DISTINCT event_manipulation FROM information_schema.triggers
               WHERE event_object_table = 'indexing_translationvalue'"""
        )
        triggers = cursor.fetchall()
    assert on == ['btree (field_id, "row")', "btree (field_id, hash)"]
    assert triggers == [("DELETE",)]


def test_what_was_found_is_kept_within_bounds_the_last_asked_longest():
    kept = translation_predicates._Found(2 * (1024 + 800))
    for key in "abc":
        kept.put(key, 7, np.arange(100))
        kept.get("a")
    assert [kept.get(key)[0] for key in "abc"] == [7, 0, 7]


def test_an_address_is_what_python_says_it_is():
    some = random.Random(3)
    pieces = [
        "1",
        ":",
        "::",
        "ab",
        "fFfF",
        "00001",
        "0",
        ":",
        "1.2.3.4",
        "01.2.3.4",
        ".",
        "12",
        "256",
        ":a",
        ":0",
        ":1",
        "/8",
        "%1",
        " ",
    ]
    texts = {"".join(some.choices(pieces, k=some.randrange(9))) for _ in range(5000)}
    for before in range(9):
        for after in range(9):
            both = ":".join("1" * before) + "::" + ":".join("2" * after)
            texts |= {both, both + "1.2.3.4", both + ":1.2.3.4", both.replace("::", ":")}
    values = [text.encode() for text in sorted(texts)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT v, host(indexing_address(v)) FROM unnest(%s::bytea[]) AS v", [values])
        said = [(bytes(value), shown and ipaddress.ip_address(shown)) for value, shown in cursor.fetchall()]
    assert [(value, address) for value, address in said if address != address_of(value)] == []
    assert sum(address is not None for _, address in said) > 100
