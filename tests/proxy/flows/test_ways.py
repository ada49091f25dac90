"""Each way to work conversations out gives the same: by counting, by rows, by columns; and none goes past the limits."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from proxy.flows import flow, lookup, triples
from tests.jobs import run_job
from tests.proxy.flows import made, naive

FLOWS = ['Flow(Row(tcp="SYN"))', "flow(vlan)", "flow(frame)"]
CHOSEN = [lambda p: p.flags("SYN"), lambda p: p.packet.has("protocols", "vlan"), lambda p: True]


@pytest.fixture
def asked(client, index, tmp_path):
    """The packets of a question to an index of two captures: one without tags, then both."""
    paths = [made.write(tmp_path / "a.pcap", made.one()), made.write(tmp_path / "b.pcap", made.other())]
    jobs = [run_job(path, index=index).pk for path in paths]
    packets = [one for number, path in enumerate(paths) for one in naive.seen(number, path)]

    def places(q: str, **query: object) -> set[naive.Place]:
        said = client.get(f"/packets/?{urlencode({'index': index, 'q': q, 'limit': 10000, **query})}").json()
        return {(jobs.index(one["job"]), one["number"]) for one in said["packets"]}

    return places, packets, jobs


def test_every_way(asked, monkeypatch):
    places, packets, jobs = asked
    untagged = f'Flow(Intersect(Row(tcp="SYN"), Row(job={jobs[0]}), Not(Values(vlan-stack))))'
    of_untagged = naive.flow(packets, lambda p: p.flags("SYN") and p.place[0] == 0 and not p.value("vlan-stack"))
    for module, name, value in (
        (flow, "_MANY", flow._MANY),  # as it is
        (triples, "MOST_PAIRS", 0),  # by columns
        (flow, "_MANY", 0),  # by counting, where there is one job and no tag
        (lookup, "_FEW", 0),  # Pilosa by rows
    ):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, value)
            for q, chosen in zip(FLOWS, CHOSEN, strict=True):
                assert places(q) == naive.flow(packets, chosen), (name, q)
            assert places(untagged) == of_untagged
            for q in ("unanswered-syn", "one-way", "dns-unanswered"):
                assert places(f"named:{q}") == naive.NAMED[q](packets), (name, q)


def test_a_syn_flood_is_bounded(asked, client, index, settings):
    settings.QUERY_MEMORY = 2000
    for path, query in (("/flows/", {}), ("/packets/", {"q": 'Named("one-way")'})):
        answer = client.get(f"{path}?{urlencode({'index': index, **query})}")
        assert answer.status_code == 413
        assert "narrower" in answer.json()["detail"]
