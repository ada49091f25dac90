"""Answers say which jobs were indexed without a field that was asked for."""

from __future__ import annotations

import pytest

from tests.jobs import run_job

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"


@pytest.fixture
def jobs(index, shared):
    return [run_job(shared / CAPTURE, index=index, **options) for options in ({}, {"fields": ["picap"]})]


CASES = [
    ("/packets/", {"q": 'Row(tls-sni="a")'}, ["tls-sni"]),
    ("/packets/", {"q": "tls.handshake.extensions_server_name"}, ["tls-sni"]),
    ("/packets/", {"q": 'Values(dns-qname, like="*a*")', "fields": "ttl"}, ["dns-qname", "ttl"]),
    ("/packets/", {"q": 'Row(tcp="SYN")'}, []),
    ("/count/", {"q": 'Row(ttl="64")'}, ["ttl"]),
    ("/top/", {"field": "ttl", "metric": "distinct:dns-qname"}, ["dns-qname", "ttl"]),
    ("/histogram/", {"by": "ttl", "width": "1d"}, ["ttl"]),
    ("/crosstab/", {"rows": "ttl", "columns": "netsrc"}, ["ttl"]),
    ("/compare/", {"a": 'Row(ttl="64")', "b": 'Row(tcp="SYN")', "fields": "netsrc"}, ["ttl"]),
]


def test_fields_that_a_job_lacks_are_named(client, index, jobs):
    whole, part = (job.pk for job in jobs)
    for path, query, fields in CASES:
        said = client.get(path, {"index": index, **query}).json()
        assert said["not_indexed"] == {name: [part] for name in fields}, (path, query)
        assert client.get(path, {"index": index, "job": whole, **query}).json()["not_indexed"] == {}
