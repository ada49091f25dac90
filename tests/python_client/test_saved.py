"""Questions with a name, tags on packets."""

from __future__ import annotations

import pytest

from picapweb_client import Client, Conflict, Job, NotFound, PicapwebError, QueryError
from tests.python_client.made import FIRST_NS, STEP_NS


def test_a_saved_query_is_asked_as_it_was_saved(client: Client, job: Job):
    saved = client.save("dns of ten", "dns", fields=["netsrc"], jobs=[job], start=FIRST_NS, end=FIRST_NS + 10 * STEP_NS)
    assert (saved.name, saved.q, saved.jobs, saved.fields, saved.alert) == ("dns of ten", "dns", (job.id,), ("netsrc",), None)
    assert saved.start == "2026-01-02T03:04:05.000000123Z"
    assert saved.count() == 3
    assert [one.fields for one in saved.packets()] == [{"netsrc": (f"10.0.0.{i + 1}",)} for i in (0, 4, 8)]
    assert client.saved(saved.id) == saved
    with pytest.raises(Conflict):
        client.save("dns of ten", "udp")
    saved = saved.change(name="tcp of all", q="tcp", start=None, end=None)
    assert (saved.name, saved.count()) == ("tcp of all", 30)
    saved.delete()
    with pytest.raises(NotFound):
        client.saved(saved.id)


def test_saved_queries_come_over_all_pages(client: Client, monkeypatch: pytest.MonkeyPatch):
    made = [client.save(f"paged {i}", "tcp") for i in range(3)]
    monkeypatch.setattr("picapweb_client.asking.PAGE", 2)
    assert list(client.saved_queries("paged")) == made
    for one in made:
        one.delete()
    assert list(client.saved_queries("paged")) == []


def test_what_cannot_be_asked_is_not_saved(client: Client):
    with pytest.raises(QueryError) as error:
        client.save("wrong", "tcp.prot == 80")
    assert error.value.position == 0 and error.value.query == "tcp.prot == 80"
    with pytest.raises(PicapwebError) as refused:
        client.save("", "tcp")
    assert refused.value.option == "name"


def test_an_alert_setting(client: Client):
    saved = client.save("alerting", "tcp", alert={"threshold": 5, "window_seconds": 60})
    assert saved.alert is not None
    assert (saved.alert.enabled, saved.alert.threshold, saved.alert.window_seconds) == (True, 5, 60)
    saved = saved.change(alert=None)
    assert saved.alert is None
    saved.delete()


def test_a_tag_stays_on_the_packets_of_a_question(client: Client, job: Job):
    tagged = client.tag("asks", "dns", jobs=job)
    assert (tagged.tag, tagged.packets, tagged.changed) == ("asks", 10, 10)
    assert client.tag("asks", "udp", jobs=job, end=FIRST_NS + 1).changed == 0
    assert client.count('tag == "asks"', jobs=job) == 10
    assert [(one.tag, one.packets) for one in client.tags(jobs=job)] == [("asks", 10)]
    assert client.untag("asks", jobs=job, start=FIRST_NS + 1).changed == 9
    assert [one.number for one in client.packets('tag == "asks"', jobs=job)] == [1]
    client.untag("asks")
    assert client.tags(jobs=job) == []
