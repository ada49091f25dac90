"""PQL: results have the types of their calls, today's and picap's; errors have a place."""

from __future__ import annotations

import pytest

from picapweb_client import Client, Columns, Group, Job, Pair, Pairs, QueryError, Rows, ValueCount
from tests.python_client.made import SERVER


def test_each_call_has_the_result_of_its_type(client: Client, job: Job):
    of_job = f'Row(job="{job.id}")'
    answer = client.pql(
        f"""Count({of_job})
            TopN(transdst, {of_job}, n=2)
            Sum(Intersect({of_job}, Row(transdst="53")), field=length)
            Intersect({of_job}, Row(transsrc="40005"))
            Rows(netsrc, like="10.0.0.1%")
            GroupBy(Rows(netdst), Rows(transdst), filter={of_job})"""
    )
    count, top, total, columns, rows, groups = answer
    assert count == 40
    assert top == Pairs((Pair("443", 30), Pair("53", 10)))
    assert total == ValueCount(client.about("udp.dstport == 53", jobs=job).bytes, 10)
    assert columns == Columns((job.columns[0][0] + 5,))
    assert isinstance(rows, Rows)
    assert sorted(groups.groups, key=lambda one: one.count) == [
        Group({"netdst": SERVER, "transdst": "53"}, 10),
        Group({"netdst": SERVER, "transdst": "443"}, 30),
    ]
    assert groups.to_pandas()["count"].dtype == "int64"
    assert top.to_arrow().to_pylist() == [{"value": "443", "count": 30}, {"value": "53", "count": 10}]
    assert answer[0] == 40 and len(answer) == 6 and dict(answer.not_indexed) == {}


def test_picaps_words_have_the_same_types(client: Client, job: Job):
    (top,) = client.pql("TopN(frame=netdst, n=1)")
    assert isinstance(top, Pairs) and top.pairs[0].value == SERVER
    (columns,) = client.pql(f'Intersect(Bitmap(frame=job, rowID="{job.id}"), Bitmap(frame=transsrc, rowID="40005"))')
    assert columns == Columns((job.columns[0][0] + 5,))


def test_fields_that_a_job_lacks_are_said(client: Client, job: Job):
    some = client.upload(b"".join([*_capture()]), fields=["netsrc"], name="few fields", wait=180)
    answer = client.pql('Count(Row(dns-qname="host1.example"))')
    assert some.id in answer.not_indexed["dns-qname"]
    some.delete()


def _capture():
    import struct

    yield struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    yield struct.pack("<IIII", 1, 0, 14, 14) + bytes(14)


def test_an_error_shows_its_place(client: Client):
    with pytest.raises(QueryError) as error:
        client.pql('Count(Row(netsrc="10.0.0.1")\nTopN(netsrc,, n=3)')
    assert error.value.status == 400 and error.value.position is not None
    with pytest.raises(QueryError) as error:
        client.count("ip.src == 10.0.0.0/8 && tcp.prot == 80")
    assert (error.value.status, error.value.title) == (400, "The query cannot be answered")
    text, caret = error.value.caret.splitlines()
    assert text == "ip.src == 10.0.0.0/8 && tcp.prot == 80"
    assert caret.index("^") == text.index("tcp.prot")
    assert str(error.value).splitlines()[-2:] == [text, caret]
    with pytest.raises(QueryError, match="unknown|no such|not found|does not exist"):
        client.pql("Count(Row(nonesuch=1))")


def test_the_place_that_pilosa_words_name(client: Client):
    for text, before in [
        ("Count(Row(netsrc=1)", "Count(Row(netsrc=1)"),
        ("Count(Row(netsrc=1))\nTopN(a b)", "Count(Row(netsrc=1))\nTopN(a "),
    ]:
        with pytest.raises(QueryError) as error:
            client.pql(text)
        assert error.value.position is not None
        assert text[: error.value.position].rstrip() == before.rstrip()
