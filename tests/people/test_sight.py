"""What somebody sees is what there would be if only the jobs that they may see were there; on both backends.

Two jobs of two people are in one index, and the one's capture is in another index alone. Asked of the first by its owner, and of
the second by an admin, every question must have the same answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from capture.models import Job
from capture.sample import sample
from capture.services import create, storage, work
from capture.services.options import parse_options

ALONE = "alone"


@dataclass
class Two:
    """mine, theirs: jobs in `index`; ann's is the one, and alone in the index ALONE; root is an admin, vic a viewer."""

    index: str
    mine: int
    theirs: int
    ann: Client
    bob: Client
    vic: Client
    root: Client


def job_of(owner: Any, index: str, **options: Any) -> int:
    upload = storage.receive(iter([sample()]), "sample.pcap")
    return create.from_upload(upload, parse_options({"index": index, "again": True, **options}), owner).pk


def make_two(index: str) -> Two:
    from tests.people.making import browser, make

    roles = {"ann": "operator", "bob": "operator", "vic": "viewer", "root": "admin"}
    people = {name: make(name, role) for name, role in roles.items()}
    theirs = job_of(people["bob"], index, filter="udp or arp")
    mine = job_of(people["ann"], index, filter="tcp")
    job_of(people["root"], f"{ALONE}-{index}", filter="tcp")
    work.until_idle()
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
    return Two(index, mine, theirs, **{name: browser(user) for name, user in people.items()})


@pytest.fixture
def two(data, server_mode) -> Two:
    """On the embedded store: what does not depend on the backend."""
    return make_two("net")


PATHS = (
    "/count/",
    "/count/?q=!tcp",
    "/count/?q=udp",
    "/count/?q=frame.number < 50",
    "/count/?q=frame.time_relative < 20",
    '/count/?q=Not(Row(tcp="SYN"))',
    '/count/?q=Flow(Row(tcp="SYN"))',
    "/count/?q=named:unanswered-syn",
    '/count/?q=Values(netsrc, like="*.*")',
    "/top/?field=netsrc&n=50",
    "/top/?field=transproto",
    "/top/?field=dns-qname",
    "/top/?field=netdst&metric=bytes",
    "/top/?field=netsrc&metric=distinct:netdst",
    "/top/?field=transdst&order=rare&n=5",
    "/histogram/?width=1s",
    "/histogram/?bins=20&from=2000-01-01&to=2040-01-01&by=transproto",
    "/crosstab/?rows=netsrc&columns=transproto",
    "/compare/?a=tcp.flags.syn == 1&b=udp",
    "/complete/?text=dns.qry.name == w&at=17",
    "/complete/?text=ip.src == 1&at=11",
    "/complete/?text=frame.protocols == &at=19",
    "/fields/",
    "/packets/?fields=netsrc,transdst,dns-qname&limit=500",
    "/packets/?order=-time&limit=3&q=tcp",
    "/flows/",
    "/packets/export?format=csv&fields=netsrc,netdst,transproto",
)
PQL = (
    "Count(Not(Union()))",
    "TopN(netsrc)",
    "TopN(transproto, n=2)",
    'TopN(netdst, Row(transproto="TCP"), n=3)',
    "Rows(netsrc)",
    "Rows(transproto, limit=1)",
    "GroupBy(Rows(transproto), Rows(ip-proto))",
    "GroupBy(Rows(transproto), limit=1)",
    'Sum(Row(transproto="UDP"), field="length")',
    "Sum(field=length)",
    "Min(field=length)",
    "Max(field=length)",
    "Count(Row(length > 100))",
    'Count(Xor(Row(transproto="UDP"), Row(transproto="TCP")))',
    "MinRow(field=transdst)",
    "MaxRow(field=transdst)",
    'Options(Count(Row(transproto="UDP")), excludeColumns=true)',
)


def plain(said: Any) -> Any:
    """Without what the place in the index makes different: columns, jobs, URLs."""
    if isinstance(said, dict):
        away = ("next", "column", "job", "url", "flow", "first_column", "pql")
        return {name: plain(value) for name, value in said.items() if name not in away}
    return [plain(one) for one in said] if isinstance(said, list) else said


def get(client: Client, path: str, index: str) -> Any:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}index={index}")
    assert answer.status_code == 200, (path, answer.content)
    if answer.streaming:
        lines = b"".join(answer.streaming_content).decode().splitlines()
        return [line.split(",", 2)[2] for line in lines]  # without column and job
    return plain(answer.json())


def ordered(said: Any) -> Any:
    """Rows are in the order of their ids, which are given in the order in which values are seen."""
    if isinstance(said, dict):
        return {name: ordered(value) for name, value in said.items()}
    return sorted(map(ordered, said), key=str) if isinstance(said, list) else said


def query(client: Client, text: str, index: str) -> Any:
    answer = client.post(f"/index/{index}/query", text, content_type="text/plain")
    assert answer.status_code == 200, (text, answer.content)

    return ordered(json.loads(answer.content))


def test_answers_are_those_of_the_jobs_that_one_may_see(index: str, server_mode, settings):
    two = make_two(index)
    alone = f"{ALONE}-{index}"
    wrong = []
    for ask, questions in ((get, PATHS), (query, PQL)):
        for question in questions:
            everything = ask(two.root, question, index)  # first, so that what is kept of it would show
            mine, expected = ask(two.ann, question, index), ask(two.root, question, alone)
            if mine != expected:
                wrong.append((question, mine, expected))
            if ask(two.root, question, index) != everything:
                wrong.append((question, "changed for the admin"))
    assert wrong == []
    # Who has no job there does not know of the index.
    assert two.vic.post(f"/index/{index}/query", "Count(Not(Union()))", content_type="text/plain").status_code == 400
    assert two.vic.get(f"/packets/?index={index}").status_code == 404
    assert index not in two.vic.get("/schema").content.decode()
    assert index in two.ann.get("/schema").content.decode()
    # And who sees not all writes to no packets.
    settings.PACKET_WRITES = True
    answer = two.ann.post(f"/index/{index}/query", 'Set(0, netsrc="1.2.3.4")', content_type="text/plain")
    assert answer.status_code == 400
    assert "not allowed" in answer.content.decode()


@pytest.fixture
def places(two: Two) -> tuple[int, int]:
    """A column of mine, and one of theirs."""
    found = []
    for job in (two.mine, two.theirs):
        (one,) = two.root.get(f"/packets/?index={two.index}&job={job}&limit=1").json()["packets"]
        found.append(one["column"])
    return found[0], found[1]


def test_objects_of_others_are_not_there(two: Two, places: tuple[int, int]):
    mine, theirs = places
    of = lambda column, job: [  # noqa: E731
        f"/packets/{two.index}/{column}/",
        f"/packets/{two.index}/{column}/pcap",
        f"/flows/{two.index}/{column}/",
        f"/flows/{two.index}/{column}/payload/",
        f"/jobs/{job}/",
        f"/jobs/{job}/pcap",
        f"/jobs/{job}/events/",
        f"/jobs/{job}/live/",
        f"/jobs/{job}/live/?part=health",
        f"/jobs/{job}/health/",
        f"/packets/?index={two.index}&job={job}",
        f"/packets/export?index={two.index}&job={job}",
    ]
    assert [path for path in of(mine, two.mine) if two.ann.get(path).status_code != 200] == []
    assert [path for path in of(theirs, two.theirs) if two.ann.get(path).status_code != 404] == []
    assert [path for path in of(mine, two.mine) if two.vic.get(path).status_code != 404] == []
    number = two.root.get(f"/packets/{two.index}/{theirs}/").json()["number"]
    assert two.ann.get(f"/jobs/{two.theirs}/packets/{number}/").status_code == 404
    for order in ("stop", "retry", "share"):
        assert two.ann.post(f"/jobs/{two.theirs}/{order}/?shared=true").status_code == 404
    assert two.ann.delete(f"/jobs/{two.theirs}/").status_code == 404
    note = {"data": {"text": "seen"}, "content_type": "application/json"}
    assert two.bob.put(f"/packets/{two.index}/{theirs}/note", **note).status_code == 200
    assert two.ann.get(f"/packets/{two.index}/{theirs}/note").status_code == 404
    assert two.ann.put(f"/packets/{two.index}/{theirs}/note", **note).status_code == 404
    two.ann.delete(f"/packets/{two.index}/{theirs}/note")
    assert two.bob.get(f"/packets/{two.index}/{theirs}/note").json()["author"] == "bob"


def test_lists_and_pages_name_no_job_of_others(two: Two):
    assert [job["id"] for job in two.ann.get("/jobs/").json()["results"]] == [two.mine]
    assert two.vic.get("/jobs/").json()["count"] == 0
    for path in ("/jobs/", f"/explore/?index={two.index}", f"/fields/?index={two.index}", f"/top/?index={two.index}&field=job"):
        page = two.ann.get(path, headers={"accept": "text/html"})
        assert page.status_code == 200, path
        assert f"/jobs/{two.theirs}/" not in page.content.decode(), path
    assert get(two.vic, "/count/", two.index)["count"] == 0


def test_tags_are_written_to_packets_that_one_sees(two: Two):
    body = {"data": {"tag": "mine", "q": "", "index": two.index}, "content_type": "application/json"}
    assert two.ann.post("/packets/tags", **body).json()["packets"] == get(two.ann, "/count/", two.index)["count"]
    assert get(two.root, '/count/?q=Row(tag="mine")', two.index)["count"] == get(two.ann, "/count/", two.index)["count"]


def test_sharing_shows_a_job_to_all_and_its_owner_changes_it(two: Two):
    assert two.bob.post(f"/jobs/{two.theirs}/share/?shared=true").json()["shared"] is True
    assert two.vic.get(f"/jobs/{two.theirs}/").json()["owner"] == "bob"
    assert get(two.ann, "/count/", two.index) == get(two.root, "/count/", two.index)
    assert two.ann.delete(f"/jobs/{two.theirs}/").status_code == 403
    assert two.vic.delete(f"/jobs/{two.theirs}/").status_code == 403
    assert two.bob.post(f"/jobs/{two.theirs}/share/?shared=false").json()["shared"] is False
    assert get(two.vic, "/jobs/", two.index)["count"] == 0
    assert two.root.delete(f"/jobs/{two.theirs}/").status_code == 204


def test_a_known_file_is_known_to_who_sees_its_job(two: Two):
    def upload(client: Client) -> Any:
        path = f"/jobs/?index={two.index}&filter=udp or arp"
        return client.post(path, sample(), content_type="application/vnd.tcpdump.pcap")

    assert upload(two.bob).status_code == 409
    mine = upload(two.ann)
    assert mine.status_code == 202
    assert mine.json()["owner"] == "ann"
