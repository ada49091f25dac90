"""GET /packets/, /packets/{index}/{column}/, /jobs/{id}/packets/{number}/, /top/, /fields/."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from capture.services import control
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"
TRUTH = "pcaps/truth/protocols/zeek__wikipedia.pcap.json"


@pytest.fixture
def job(index, shared):
    return run_job(shared / CAPTURE, index=index, bufsize=30)


@pytest.fixture
def told(shared):
    return json.loads((shared / TRUTH).read_text())


@pytest.fixture
def get(client, index):
    def get(path: str, **query: object):
        return client.get(f"{path}?{urlencode({'index': index, **query}, doseq=True)}")

    return get


def test_all_packets_with_count_and_bytes(get, job, told):
    said = get("/packets/", limit=5).json()
    assert (said["count"], said["bytes"]) == (told["packets"], told["frame_len_sum"])
    first = said["packets"][0]
    assert (first["column"], first["job"], first["number"]) == (0, job.pk, 1)
    assert int(first["time_ns"]) == round(float(told["time_first"].split(".")[0])) * 10**9 + int(told["time_first"].split(".")[1])
    assert first["time"].endswith("Z")
    assert len(first["time"]) == len("2012-04-02T02:28:30.293035000Z")


def test_pages_follow_each_other_without_gap_or_repeat(get, job, told):
    numbers, cursor = [], ""
    while True:
        page = get("/packets/", limit=50, cursor=cursor).json()
        numbers += [packet["number"] for packet in page["packets"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert numbers == list(range(1, told["packets"] + 1))


def test_order_by_time(get, job, told):
    times, cursor = [], ""
    while True:
        page = get("/packets/", limit=50, order="time", cursor=cursor).json()
        times += [int(packet["time_ns"]) for packet in page["packets"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert times == sorted(times)
    assert len(times) == told["packets"]


def test_a_query_and_the_fields_of_its_packets(get, job, told):
    said = get("/packets/", q='Row(transdst="53")', fields="netsrc,transdst,tcp,length", limit=1000).json()
    assert said["count"] == told["outer"]["udp.dstport"]["53"] == len(said["packets"])
    assert all(packet["fields"]["transdst"] == ["53"] and "tcp" not in packet["fields"] for packet in said["packets"])
    assert all(packet["fields"]["length"] == [str(packet["length"])] for packet in said["packets"])
    assert said["pql"] == 'Row(transdst="53")'
    assert said["lang"] == "pql"


def test_packets_of_one_job(get, job, index, shared):
    other = run_job(shared / "pcaps/protocols/dpkt__dns_icmp.pcap", index=index)
    assert get("/packets/", job=other.pk).json()["count"] == other.packets_indexed
    assert get("/packets/", job=[job.pk, other.pk]).json()["count"] == other.packets_indexed + job.packets_indexed


def test_a_long_query_by_post(client, job, index):
    response = client.post("/packets/", {"q": 'Row(transdst="53")', "index": index})
    assert response.json()["count"] > 0


@pytest.mark.parametrize(
    ("query", "option"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1000000"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"order": "size"}, "order"),
        ({"fields": "netscr"}, "fields"),
        ({"lang": "sql"}, "lang"),
        ({"job": "x"}, "job"),
        ({"from": "yesterday"}, "from"),
        ({"to": "noon"}, "to"),
    ],
)
def test_a_bad_parameter_is_named(get, job, query, option):
    response = get("/packets/", **query)
    assert response.status_code == 400
    assert response.json()["option"] == option


@pytest.mark.parametrize(
    ("q", "position"),
    [("Row(netsrc=", 11), ("TopN(netsrc)", 0), ("ip.scr == 10.0.0.1", 0), ('Row(tcp="SYN") Row(tcp="ACK")', 15)],
)
def test_a_bad_query_says_where(get, job, q, position):
    response = get("/packets/", q=q)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["position"] == position


def test_an_unknown_field_in_a_query(get, job):
    response = get("/packets/", q="Row(nosuch=1)")
    assert response.status_code == 400
    assert "field not found" in response.json()["detail"]


def test_what_is_not_there_is_a_404_in_words(client, get, job, index):
    for path, words in (
        (f"/packets/{index}/{job.packets_indexed}/", f"no packet in column {job.packets_indexed}"),
        (f"/packets/{index}/99999999999999999999/", "no packet in column"),
        ("/packets/nosuch/0/", "no packet"),
        (f"/jobs/{job.pk}/packets/0/", "no indexed packet 0"),
        (f"/jobs/{job.pk}/packets/137/", "no indexed packet 137"),
        ("/packets/?index=nosuch", "no index"),
        ("/packets/?job=999999", "no job 999999"),
    ):
        response = client.get(path)
        assert response.status_code == 404, path
        assert words in response.json()["detail"]


def test_a_packet_has_its_bytes_layers_and_values(client, get, job, shared, index):
    capture = (shared / CAPTURE).read_bytes()
    said = client.get(f"/jobs/{job.pk}/packets/1/").json()
    length = int.from_bytes(capture[32:36], "little")
    assert bytes.fromhex(said["bytes"]) == capture[40 : 40 + length]
    assert said["layers"][0]["offset"] == 0
    assert (said["previous"], said["next"]) == (None, 1)
    assert client.get(f"/packets/{index}/0/").json() == said
    values = {one["field"]: one["value"] for one in said["values"]}
    assert values["job"] == str(job.pk)
    assert values["time-second"].endswith("Z")
    table = get("/packets/", limit=1, fields=",".join(values)).json()["packets"][0]["fields"]
    assert all(value in table[field] for field, value in values.items())


def test_every_packet_of_a_job_by_its_number(client, job):
    for number in (1, 30, 31, 136):
        said = client.get(f"/jobs/{job.pk}/packets/{number}/").json()
        assert said["number"] == number


def test_a_filtered_packet_has_its_number_in_the_capture(client, index, shared):
    job = run_job(shared / CAPTURE, index=index, filter="tcp")
    packets = client.get(f"/packets/?index={index}&limit=200").json()["packets"]
    numbers = [packet["number"] for packet in packets]
    assert len(numbers) == job.packets_indexed < max(numbers) <= job.packets_read
    missing = next(number for number in range(1, 137) if number not in numbers)
    assert client.get(f"/jobs/{job.pk}/packets/{missing}/").status_code == 404
    assert client.get(f"/jobs/{job.pk}/packets/{numbers[-1]}/").json()["number"] == numbers[-1]


def test_packets_of_a_deleted_job_are_gone(client, get, job, index):
    control.delete(job)
    assert get("/packets/").json()["count"] == 0
    assert get("/top/", field="netsrc").json()["values"] == []
    assert client.get(f"/packets/{index}/0/").status_code == 404


def test_bytes_that_are_gone_are_said(client, job):
    job.captures.get().file.unlink()
    said = client.get(f"/jobs/{job.pk}/packets/1/").json()
    assert said["bytes"] == ""
    assert said["bytes_gone"]
    assert said["values"]


def test_top_values(get, job, told):
    said = get("/top/", field="netsrc", n=3).json()
    sources = told["outermost_ip"]["src"]
    assert [one["count"] for one in said["values"]] == sorted(sources.values(), reverse=True)[:3]
    assert all(sources[one["value"]] == one["count"] for one in said["values"])
    assert said["distinct"] == len(sources)
    assert said["exact"] is True


def test_rare_values_and_a_prefix(get, job, told):
    sources = told["outermost_ip"]["src"]
    rare = get("/top/", field="netsrc", n=2, order="rare").json()["values"]
    assert [one["count"] for one in rare] == sorted(sources.values())[:2]
    started = get("/top/", field="netsrc", n=1000, prefix="141.").json()["values"]
    assert {one["value"] for one in started} == {one for one in sources if one.startswith("141.")}


def test_top_under_a_query(get, job):
    within = get("/top/", field="transdst", q='Row(netproto="IPv6")').json()
    assert sum(one["count"] for one in within["values"]) == get("/packets/", q='Row(netproto="IPv6")').json()["count"]


@pytest.mark.parametrize(
    "query", [{}, {"field": "netscr"}, {"field": "length"}, {"field": "netsrc", "n": "0"}, {"field": "netsrc", "order": "x"}]
)
def test_a_bad_top_is_refused(get, job, query):
    response = get("/top/", **query)
    assert response.status_code == 400
    assert response.json()["option"] in ("field", "n", "order")


def test_fields(get, job, told):
    fields = {one["name"]: one for one in get("/fields/").json()}
    assert fields["netsrc"]["kind"] == "set"
    assert fields["length"]["kind"] == "int"
    assert fields["netsrc"]["values"] == get("/top/", field="netsrc").json()["distinct"]
    assert fields["netsrc"]["packets"] == sum(told["outermost_ip"]["src"].values())
    assert fields["length"]["packets"] == fields["linktype"]["packets"] == told["packets"]
    assert fields["tcp"]["packets"] == sum(told["outer"]["tcp.srcport"].values())
    assert {"name", "kind", "description", "example", "protocol", "values", "packets"} <= set(fields["tcp"])


def test_the_api_describes_itself(client):
    response = client.get("/api/schema/", headers={"accept": "application/json"})
    assert response.status_code == 200


def test_a_range_of_time_has_the_packets_of_its_seconds(get, job):
    packets = get("/packets/", limit=1000).json()["packets"]
    seconds = [int(packet["time_ns"]) // 10**9 for packet in packets]
    begin, end = seconds[0] + 1, seconds[-1] - 1
    wanted = [packet["number"] for packet, second in zip(packets, seconds, strict=True) if begin <= second < end]
    text = [datetime.fromtimestamp(second, UTC).isoformat() for second in (begin, end)]
    found = get("/packets/", **{"from": text[0], "to": text[1], "limit": 1000}).json()["packets"]
    assert [packet["number"] for packet in found] == wanted != []
    assert get("/packets/", **{"from": text[0]}).json()["count"] == sum(second >= begin for second in seconds)
    assert get("/packets/", to=text[1]).json()["count"] == sum(second < end for second in seconds)
    assert get("/packets/", **{"from": "2030-01-01T00:00:00Z"}).json()["count"] == 0
