"""GroupBy and Rows over one capture, on both backends."""

from __future__ import annotations

import json

from tests.jobs import run_job


def test_groups_are_distinct_and_add_up(client, index, shared):
    run_job(shared / "pcaps/protocols/zeek__wikipedia.pcap", index=index, bufsize=30)
    told = json.loads((shared / "pcaps/truth/protocols/zeek__wikipedia.pcap.json").read_text())
    text = "GroupBy(Rows(netsrc)) Rows(netsrc) GroupBy(Rows(netproto), Rows(transproto))"
    one, rows, two = client.post(f"/index/{index}/query", text, content_type="text/plain").json()["results"]
    sources = told["outermost_ip"]["src"]
    assert {group["group"][0]["rowKey"]: group["count"] for group in one} == sources
    assert len(one) == len(sources)
    assert sorted(rows["keys"]) == sorted(sources)
    assert sum(group["count"] for group in two) == sum(
        told["outer"][f"{name}.srcport"][port] for name in ("tcp", "udp") for port in told["outer"][f"{name}.srcport"]
    )
