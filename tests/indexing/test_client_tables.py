"""The tables of client indexes under concurrency: two who make the same, and jobs that want a client's name."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from indexing.client import names, tables
from indexing.client.contract import ClientIndex, FieldOptions, IndexOptions
from indexing.client.schema import SchemaRefused
from indexing.models import PacketIndex

ALL = ClientIndex(
    "all",
    IndexOptions(keys=True, track_existence=False),
    {
        "s": FieldOptions(keys=True, cache_type="lru", cache_size=10),
        "i": FieldOptions("int", minimum=-(1 << 63), maximum=(1 << 63) - 1),
        "t": FieldOptions("time", time_quantum="YMDH", no_standard_view=True),
        "b": FieldOptions("bool"),
    },
)


def at_once(*calls):
    """Runs calls in threads, begun together; what each raised, or None."""
    barrier = threading.Barrier(len(calls))
    raised = [None] * len(calls)

    def run(i):
        barrier.wait(30)
        try:
            calls[i]()
        except Exception as error:
            raised[i] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_what_is_made_is_read_as_it_was(data):
    tables.create_index(ALL)
    assert tables.read("all") == ALL
    assert tables.read_all() == [ALL]


def test_of_those_who_make_one_index_at_once_one_does(data):
    raised = at_once(*[lambda: tables.create_index(ALL)] * 4)
    assert raised.count(None) == 1
    assert {str(error) for error in raised if error} == {"creating index: index already exists"}
    assert tables.read_all() == [ALL]


def test_of_those_who_make_one_field_at_once_one_does(data):
    tables.create_index(ClientIndex("one"))
    raised = at_once(*[lambda: tables.create_field("one", "f", FieldOptions())] * 4)
    assert raised.count(None) == 1
    assert {error.status for error in raised if isinstance(error, SchemaRefused)} == {409}


def test_a_field_is_not_made_in_an_index_that_is_being_deleted(data):
    tables.create_index(ClientIndex("one"))
    raised = at_once(lambda: tables.delete_index("one"), lambda: tables.create_field("one", "f", FieldOptions()))
    assert raised[0] is None
    assert raised[1] is None or str(raised[1]) == "index not found"
    assert tables.read("one") is None


def test_a_job_and_a_client_want_one_name_at_once(data):
    def job():
        with transaction.atomic():
            names.take_for_packets("both")

    raised = at_once(job, lambda: tables.create_index(ClientIndex("both")))
    assert raised.count(None) == 1
    assert PacketIndex.objects.filter(name="both").exists() == (raised[0] is None)
    assert names.is_client_index("both") == (raised[1] is None)


def test_nothing_is_left_of_an_index_with_a_bad_field(data):
    with pytest.raises(SchemaRefused, match="validating name: 'Bad'"):
        tables.create_index(ClientIndex("one", fields={"good": FieldOptions(), "Bad": FieldOptions()}))
    assert tables.read("one") is None
