"""A query that names a field which some jobs did not index: a header says which."""

from __future__ import annotations

import pytest

from proxy.not_indexed import HEADER, fields_of, header
from proxy.pql.parse import parse
from tests.jobs import run_job


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('Count(Row(tls-sni="a"))', ["tls-sni"]),
        ('TopN(netsrc, Intersect(Row(tcp="SYN"), Row(length > 3)), n=2)', ["tcp", "length", "netsrc"]),
        ('Count(Row(job="1"))', []),
        ('Count(Bitmap(frame=http-hostname, rowID="a"))', ["http-hostname"]),
        ('Count(Row(nonesuch="1"))', []),
        ('Count(Flow(Row(tls-sni="a")))', ["community-id", "tls-sni", "vlan-stack"]),
        ('Count(Named("reset"))', ["community-id", "tcp", "vlan-stack"]),
        ('Count(Named("nonesuch"))', []),
    ],
)
def test_fields_that_a_query_names(text, named):
    assert sorted(fields_of(parse(text))) == sorted(named)


def test_of_many_jobs_the_first_are_listed():
    assert header({"tls-sni": [3, 7], "dns-id": list(range(1, 23))}) == (
        "tls-sni=3,7; dns-id=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,..."
    )


def test_the_answer_says_which_jobs_lack_the_field(client, index, shared):
    capture = shared / "pcaps/protocols/nfstream__http_ipv6.pcap"
    whole = run_job(capture, index=index)
    part = run_job(capture, index=index, fields=["picap"])

    def ask(text: str):
        return client.post(f"/index/{index}/query", text, content_type="text/plain")

    assert ask("TopN(tls-sni, n=1)").headers[HEADER] == f"tls-sni={part.pk}"
    assert HEADER not in ask("TopN(netsrc, n=1)").headers
    assert HEADER not in ask(f'Count(Row(job="{whole.pk}"))').headers
