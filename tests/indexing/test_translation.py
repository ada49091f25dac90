"""Values <-> row ids: any bytes, bulk, several writers, a cache that cannot be wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from django.db import connection, transaction

from indexing import strings, translation, translation_cache, translation_table
from indexing.models import TranslationField, TranslationValue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_cache():
    translation.clear_cache()
    yield
    translation.clear_cache()


ODD = [b"", b"a\0b", b"\xff\xfe", "grüße".encode(), b"x" * 65536, b"x" * 65535 + b"y", b"\\", b"'; DROP TABLE"]


def test_values_of_any_bytes_come_back():
    rows = translation.resolve("net", {"f": ODD})["f"].tolist()
    assert sorted(rows) == list(range(1, len(ODD) + 1))
    translation.clear_cache()
    assert translation.values_of("net", {"f": rows})["f"] == dict(zip(rows, ODD, strict=True))
    assert translation.lookup("net", {"f": ODD})["f"] == dict(zip(ODD, rows, strict=True))


def test_ids_keep_the_order_of_the_values_and_repeat_for_repeated_ones():
    rows = translation.resolve("net", {"f": [b"b", b"a", b"b"]})["f"]
    assert rows.dtype == np.uint64
    assert rows[0] == rows[2] != rows[1]


def test_a_lookup_allocates_nothing():
    assert translation.lookup("net", {"f": [b"unknown"]}) == {"f": {}}
    assert not TranslationField.objects.exists()
    assert not TranslationValue.objects.exists()


def test_fields_and_indexes_have_ids_of_their_own():
    assert translation.resolve("net", {"f": [b"a"], "g": [b"b"]}) == {"f": np.array([1]), "g": np.array([1])}
    assert translation.resolve("other", {"f": [b"z"]})["f"].tolist() == [1]
    assert translation.values_of("other", {"f": [1]}) == {"f": {1: b"z"}}


def test_ids_are_dense_over_several_calls():
    first = translation.resolve("net", {"f": [b"a", b"b"]})["f"].tolist()
    second = translation.resolve("net", {"f": [b"b", b"c", b"a", b"d"]})["f"].tolist()
    assert first == [1, 2]
    assert second == [2, 3, 1, 4]


def test_unknown_ids_are_left_out():
    translation.resolve("net", {"f": [b"a"]})
    assert translation.values_of("net", {"f": [1, 2, 2**62], "nowhere": [1]}) == {"f": {1: b"a"}, "nowhere": {}}


def test_allocation_inside_a_transaction_is_refused():
    # A rollback of the caller's would take ids back that the cache has handed out.
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        translation.resolve("net", {"f": [b"a"]})
    assert translation.lookup("net", {"f": [b"a"]}) == {"f": {}}


def test_a_collision_of_hashes_is_refused(monkeypatch):
    monkeypatch.setattr(strings, "_hash", lambda value: bytes(16))
    translation.resolve("net", {"f": [b"a"]})
    with pytest.raises(translation.TranslationCollision, match="field f"):
        translation.resolve("net", {"f": [b"b"]})


def test_the_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(translation_cache, "MAX_CACHED_PAIRS", 10)
    values = [b"%d" % i for i in range(100)]
    rows = translation.resolve("net", {"f": values})["f"].tolist()
    assert len(translation._rows) <= 10
    assert translation.resolve("net", {"f": values})["f"].tolist() == rows


def test_four_writers_of_the_same_new_values_make_one_id_each_and_no_gap():
    values = [b"%d" % i for i in range(2000)]
    orders = [values, values[::-1], values[1000:] + values[:1000], values[::2] + values[1::2]]
    found: list[dict[bytes, int]] = []
    start = threading.Barrier(len(orders))

    def write(order: list[bytes]) -> None:
        try:
            start.wait()
            for at in range(0, len(order), 250):
                part = order[at : at + 250]
                ids = translation.resolve("net", {"f": part, "g": part[:10]})["f"]
                found.append(dict(zip(part, ids.tolist(), strict=True)))
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    merged: dict[bytes, set[int]] = {}
    for pairs in found:
        for value, row in pairs.items():
            merged.setdefault(value, set()).add(row)
    assert len(found) == 32
    assert all(len(rows) == 1 for rows in merged.values())
    assert sorted(row for rows in merged.values() for row in rows) == list(range(1, 2001))


def test_a_hundred_thousand_new_values_in_one_call():
    values = [b"value-%d" % i for i in range(100_000)]
    rows = translation.resolve("net", {"f": values})["f"]
    assert rows.tolist() == list(range(1, 100_001))
    translation.clear_cache()
    assert translation.resolve("net", {"f": values})["f"].tolist() == rows.tolist()


def test_many_values_of_any_bytes_and_lengths_in_one_call():
    """More than a few: compiled loops take over."""
    values = [bytes([i % 256]) * (i % 700) + b"%d" % i for i in range(5000)] + ODD
    rows = translation.resolve("net", {"f": values, "g": values[::-1]})
    assert rows["f"].tolist() == list(range(1, len(values) + 1))
    translation.clear_cache()
    some = [*rows["f"][::7].tolist(), len(values)]
    assert translation.values_of("net", {"f": some})["f"] == {row: values[row - 1] for row in some}
    assert translation.lookup("net", {"g": values})["g"] == {value: len(values) - i for i, value in enumerate(values)}


def test_a_collision_among_many_is_refused_and_names_the_field(monkeypatch):
    values = [b"%d" % i for i in range(1000)]
    translation.resolve("net", {"f": values, "g": values})
    TranslationValue.objects.filter(field__field="g", row=501).update(value=b"another")
    translation.clear_cache()
    with pytest.raises(translation.TranslationCollision, match="field g"):
        translation.resolve("net", {"f": values, "g": values})


def test_a_rolled_back_allocation_leaves_nothing_in_the_cache_nor_a_gap(monkeypatch):
    copy_rows = translation_table.copy_rows

    def fails(*args):
        raise RuntimeError("in the middle of it")

    monkeypatch.setattr(translation_table, "copy_rows", fails)
    with pytest.raises(RuntimeError):
        translation.resolve("net", {"f": [b"a", b"b"]})
    monkeypatch.setattr(translation_table, "copy_rows", copy_rows)
    assert len(translation._rows) == 0
    assert translation.lookup("net", {"f": [b"a"]}) == {"f": {}}
    assert translation.resolve("net", {"f": [b"b", b"a"]})["f"].tolist() == [1, 2]


def test_the_cache_is_bounded_by_bytes(monkeypatch):
    monkeypatch.setattr(translation_cache, "MAX_CACHED_BYTES", 20_000)
    for i in range(100):
        translation.resolve("net", {"f": [b"%03d" % i + b"x" * 400, b"short %d" % i]})
        generations = (translation._rows._young, translation._rows._old)
        kept = sum(len(value) for part in generations for some in part.values() for value in some)
        assert kept + translation_cache.PAIR_BYTES * len(translation._rows) <= 20_000
    assert len(translation._rows) > 10


def test_what_is_in_use_stays_in_the_cache(monkeypatch):
    monkeypatch.setattr(translation_cache, "MAX_CACHED_PAIRS", 100)
    translation.resolve("net", {"f": [b"always"]})
    asked = []
    state = translation_table.state
    monkeypatch.setattr(translation_table, "state", lambda index, fields: (asked.append(fields), state(index, fields))[1])
    for i in range(500):
        translation.resolve("net", {"f": [b"always"], "g": [b"%d" % i]})
    assert ["f"] not in asked and all("f" not in fields for fields in asked)
    assert len(translation._rows) <= 100


def test_processes_with_the_same_new_values_make_one_id_each_and_no_gap(tmp_path):
    """Each with a cache and a connection of its own, the values in other orders, known and unknown ones mixed."""
    translation.resolve("net", {"f": [b"%d" % i for i in range(0, 900, 3)]})
    connection.close()
    program = tmp_path / "resolve.py"
    program.write_text(
        "import random, sys, django\n"
        "from django.conf import settings\n"
        "settings.DATABASES['default']['NAME'] = sys.argv[1]\n"
        "django.setup()\n"
        "from indexing import translation\n"
        "values = [b'%d' % i for i in range(900)]\n"
        "random.Random(int(sys.argv[2])).shuffle(values)\n"
        "pairs = {}\n"
        "for at in range(0, 900, 300):\n"
        "    some = values[at:at + 300]\n"
        "    pairs |= zip(some, translation.resolve('net', {'f': some, 'g': some[:9]})['f'].tolist())\n"
        "print(sorted(pairs.items()))\n"
    )
    name = str(connection.settings_dict["NAME"])
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    started = [
        subprocess.Popen([sys.executable, program, name, str(seed)], cwd=root, env=env, stdout=subprocess.PIPE)
        for seed in range(3)
    ]
    said = [one.communicate()[0] for one in started]
    assert [one.returncode for one in started] == [0, 0, 0]
    assert said[0] == said[1] == said[2]
    rows = TranslationValue.objects.filter(field__field="f").order_by("row").values_list("row", flat=True)
    assert list(rows) == list(range(1, 901))
    for field in TranslationField.objects.all():
        assert field.next_row == TranslationValue.objects.filter(field=field).count() + 1
