"""The page of one packet: ways to the packets beside it, values with their counts, the tree's lines, its file, note and tag."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.jobs import run_job
from tests.proxy.payload.captures import records

CAPTURE = "protocols/zeek__wikipedia.pcap"


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})


@pytest.fixture
def capture(client, index, shared):
    """On each backend."""
    path = shared / "pcaps" / CAPTURE
    run_job(path, index=index)
    return path


def ways(page: str) -> dict[str, tuple[str, str]]:
    """Where "previous" and "next" lead, in the result, the conversation, the capture."""
    found: dict[str, dict[str, str]] = {}
    for link in re.findall(r"<a class=\"btn\"[^>]*>[←→]</a>", page):
        which, name = re.search(r'aria-label="(\w+) packet in the (\w+)"', link).groups()
        found.setdefault(name, {})[which] = re.search(r'href="([^"]*)"', link)[1].replace("&amp;", "&")
    return {name: (one.get("previous", ""), one.get("next", "")) for name, one in found.items()}


def columns(client: Client, index: str, **query: str) -> list[int]:
    said = client.get("/packets/", {"index": index, "as": "json", "limit": "1000", **query}).json()
    return [one["column"] for one in said["packets"]]


@pytest.mark.parametrize("order", ["", "-capture", "time", "-time"])
def test_ways_through_the_result(client, capture, index, order):
    query = {"q": "dns"} | ({"order": order} if order else {})
    found = columns(client, index, **query)
    assert len(found) > 5
    text = "?q=dns" + (f"&order={order}" if order else "")
    at = found[0]
    explored = client.get(f"/explore/{text}", {"index": index, **query}).content.decode()
    assert f'<a class="to" href="/packets/{index}/{at}/{text.replace("&", "&amp;")}"' in explored
    walked = [at]
    while (url := ways(client.get(f"/packets/{index}/{at}/{text}").content.decode())["result"][1]) and len(walked) < 6:
        assert url.endswith(text)
        at = int(url.split("/")[3])
        walked.append(at)
    assert walked == found[:6]
    page = client.get(f"/packets/{index}/{walked[3]}/{text}").content.decode()
    assert ways(page)["result"][0] == f"/packets/{index}/{walked[2]}/{text}"


def test_ways_through_the_conversation_and_the_capture(client, capture, index):
    syn = columns(client, index, q='Difference(Row(tcp="SYN"), Row(tcp="ACK"))', lang="pql")[0]
    flow = client.get(f"/flows/{index}/{syn}/?as=json").json()["flow"]
    found = columns(client, index, q=flow["pql"], lang="pql")
    assert len(found) > 3
    for at in range(len(found)):
        there = ways(client.get(f"/packets/{index}/{found[at]}/").content.decode())
        near = [found[i] if 0 <= i < len(found) else None for i in (at - 1, at + 1)]
        assert there.get("conversation", ("", "")) == tuple("" if one is None else f"/packets/{index}/{one}/" for one in near)
        assert there["capture"][1] == f"/packets/{index}/{found[at] + 1}/"
        assert "result" not in there


def test_a_result_that_cannot_be_asked_for_leaves_the_packet(client, capture, index):
    answer = client.get(f"/packets/{index}/1/?q=nosuchfield+==")
    assert answer.status_code == 200
    assert "names a result that cannot be asked for" in answer.content.decode()


def test_each_value_has_its_count_and_leads_to_its_packets(client, capture, index, shared):
    run_job(shared / "pcaps/protocols/dpkt__dns_icmp.pcap", index=index)  # another job: its packets are not counted
    page = client.get(f"/packets/{index}/3/").content.decode()
    values = re.findall(
        r'<dd><a href="([^"]*)" data-field="([^"]*)" data-value="([^"]*)">.*?<span class="count">([\d,]*)</span>', page
    )
    said = client.get(f"/packets/{index}/3/?as=json").json()["values"]
    lengths = ["length", "captured-length"]
    assert [one[1] for one in values] == [one["field"] for one in said] + lengths
    for url, field, value, count in values[:: max(1, len(values) // 9)]:
        query = url.partition("?")[2].replace("&amp;", "&")
        assert client.get(f"/packets/?{query}&as=json").json()["count"] == int(count.replace(",", "")), (field, value)


def test_counts_are_asked_in_one_go(client, capture, index, monkeypatch):
    from proxy import value_counts

    asked = []
    real = value_counts.ask
    monkeypatch.setattr(value_counts, "ask", lambda *given: asked.append(given) or real(*given))
    client.get(f"/packets/{index}/3/")
    assert len(asked) == 1 and len(asked[0][1]) > 10


def test_lines_of_the_tree_say_what_they_are_indexed_as(client, capture, index):
    column = columns(client, index, q="http.request")[0]
    page = client.get(f"/packets/{index}/{column}/").content.decode()
    lines = re.findall(r'<div class="line"[^>]*data-field="([^"]*)" data-value="([^"]*)"><b>([^<]*)</b>', page)
    known = {one["field"]: one["value"] for one in client.get(f"/packets/{index}/{column}/?as=json").json()["values"]}
    found = {name: (field, value) for field, value, name in lines}
    assert found["sport"] == ("transsrc", known["transsrc"])
    assert found["flags"] == ("tcp-flagset", known["tcp-flagset"])
    assert found["Host"] == ("http-hostname", known["http-hostname"])
    assert {field: known[field] for field, _ in found.values()} == dict(found.values())


def test_one_packet_as_a_file(client, capture, index):
    head, found = records(capture)
    answer = client.get(f"/packets/{index}/6/pcap")
    assert 'filename="job-' in answer["Content-Disposition"] and answer["Content-Disposition"].endswith('-packet-7.pcap"')
    said = b"".join(answer.streaming_content)
    assert said[24 + 16 :] == found[6][16:]
    assert said[24 : 24 + 8] == found[6][:8] and said[20:24] == head[20:24]
    assert client.get(f"/packets/{index}/999999/pcap").status_code == 404
    wrong = client.get(f"/packets/{index}/6/pcap?format=csv")
    assert wrong.status_code == 400 and "format must be one of" in wrong.content.decode()


def test_note_and_tag_from_the_page(client, capture, index):
    there = f"/packets/{index}/6/"
    assert client.post(f"{there}note", {"text": "look <b>here</b>"})["Location"] == there
    form = re.search(r'<form[^>]*action="/packets/tags">.*?</form>', client.get(there).content.decode(), re.S)[0]
    given = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    given.pop("csrfmiddlewaretoken", None)
    answer = client.post(
        "/packets/tags", {name: value.replace("&quot;", '"') for name, value in given.items()} | {"tag": "odd one"}
    )
    assert answer.status_code == 303
    page = client.get(there).content.decode()
    assert "look &lt;b&gt;here&lt;/b&gt;</textarea>" in page
    assert 'data-field="tag" data-value="odd one"' in page
    assert columns(client, index, q='Row(tag="odd one")', lang="pql") == [6]
