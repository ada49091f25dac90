"""/packets/tags: all packets of a query get a tag, or lose it; on both backends."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from capture.services import control, work
from indexing import checking, translation
from indexing.calls import CountResult
from indexing.models import TranslationValue
from proxy.ask import ask_text
from tests.jobs import run_job

DNS = 'Row(transdst="53")'


@pytest.fixture
def job(index, capture):
    return run_job(capture, index=index, bufsize=60)  # several batches


@pytest.fixture
def tags(api, index):
    def get(**query: object):
        return {
            one["tag"]: one["packets"] for one in api.get(f"/packets/tags?{urlencode({'index': index, **query})}").json()["tags"]
        }

    return get


def count(index: str, pql: str) -> int:
    (result,) = ask_text(index, f"Count({pql})").results
    assert isinstance(result, CountResult)
    return result.count


def numbers(api, index: str, q: str) -> list[int]:
    found = api.get(f"/packets/?{urlencode({'index': index, 'q': q, 'limit': 10000})}").json()
    return [one["number"] for one in found["packets"]]


def test_the_packets_of_a_query_are_those_of_the_tag(api, index, job, tags):
    asked = numbers(api, index, DNS)
    said = api.post("/packets/tags", {"index": index, "tag": "names", "q": DNS}).json()
    assert said["packets"] == said["changed"] == len(asked) > 0
    assert (said["tag"], said["pql"], said["lang"]) == ("names", DNS, "pql")
    assert numbers(api, index, 'tag == "names"') == numbers(api, index, 'Row(tag="names")') == asked
    assert numbers(api, index, "tag") == asked
    assert api.get(said["url"]).json()["count"] == len(asked)
    assert tags() == {"names": len(asked)}
    assert not list(checking.check(index))


def test_a_second_time_changes_nothing(api, index, job, tags):
    first = api.post("/packets/tags", {"index": index, "tag": "x", "q": "udp"}).json()
    again = api.post("/packets/tags", {"index": index, "tag": "x", "q": "udp"}).json()
    assert (again["packets"], again["changed"]) == (first["packets"], 0)
    more = api.post("/packets/tags", {"index": index, "tag": "x", "q": ""}).json()
    assert more["changed"] == more["packets"] - first["packets"] == job.packets_indexed - first["packets"]
    assert tags() == {"x": job.packets_indexed}


def test_tags_stand_in_packets_tops_and_other_queries(api, index, job, tags):
    api.post("/packets/tags", {"index": index, "tag": "names", "q": DNS})
    api.post("/packets/tags", {"index": index, "tag": "bœuf & co", "q": "udp"})
    page = api.get(f"/packets/?{urlencode({'index': index, 'q': DNS, 'fields': 'tag'})}").json()["packets"]
    assert all(sorted(one["fields"]["tag"]) == ["bœuf & co", "names"] for one in page)
    top = api.get(f"/top/?{urlencode({'index': index, 'field': 'tag'})}").json()
    assert {one["value"]: one["count"] for one in top["values"]} == tags()
    assert count(index, 'Difference(Row(tag="bœuf & co"), Row(tag="names"))') == count(
        index, f'Difference(Row(transproto="UDP"), {DNS})'
    )
    assert tags(q=DNS) == dict.fromkeys(("bœuf & co", "names"), count(index, DNS))


def test_a_tag_is_taken_from_a_query_or_from_all(api, index, job, tags):
    api.post("/packets/tags", {"index": index, "tag": "u", "q": "udp"})
    both = api.delete("/packets/tags", {"index": index, "tag": "u", "q": "udp.dstport == 53"}).json()
    assert both["changed"] == count(index, f'Intersect(Row(transproto="UDP"), {DNS})')
    assert count(index, 'Row(tag="u")') == count(index, 'Row(transproto="UDP")') - both["changed"]
    rest = api.delete(f"/packets/tags?{urlencode({'index': index, 'tag': 'u'})}").json()
    assert rest["changed"] == count(index, 'Row(transproto="UDP")') - both["changed"]
    assert tags() == {} and count(index, 'Row(tag="u")') == 0
    assert api.delete(f"/packets/tags?{urlencode({'index': index, 'tag': 'u'})}").json()["changed"] == 0
    assert not list(checking.check(index))


def test_taking_away_what_nothing_is_called_allocates_nothing(api, index, job):
    assert api.delete("/packets/tags", {"index": index, "tag": "never", "q": "udp"}).json()["changed"] == 0
    assert not TranslationValue.objects.filter(value=b"never").exists()


def test_a_query_about_the_tag_itself(api, index, job, tags):
    api.post("/packets/tags", {"index": index, "tag": "t", "q": "udp"})
    api.post("/packets/tags", {"index": index, "tag": "t", "q": '!(tag == "t")'})
    assert tags() == {"t": job.packets_indexed}


def test_a_deleted_jobs_packets_lose_their_tags(api, index, job, capture, tags):
    other = run_job(capture, index=index, again=True, bufsize=60)
    api.post("/packets/tags", {"index": index, "tag": "t", "q": DNS})
    before = tags()["t"]
    control.delete(other)
    work.until_idle()
    assert tags() == {"t": before // 2}
    control.delete(job)
    work.until_idle()
    assert tags() == {}
    from indexing import store
    from indexing.translation_used import used_rows

    row = translation.lookup(index, {"tag": [b"t"]})["tag"][b"t"]
    assert used_rows(store.backend(), index, "tag", row, row).size == 0  # no bit of it is left, hidden ones neither
    assert not list(checking.check(index))


def test_packets_that_come_later_are_not_tagged(api, index, job, capture, tags):
    api.post("/packets/tags", {"index": index, "tag": "t", "q": ""})
    run_job(capture, index=index, again=True)
    assert tags() == {"t": job.packets_indexed}


@pytest.mark.parametrize(
    ("body", "status", "option"),
    [
        ({"q": "udp"}, 400, "tag"),
        ({"tag": " ", "q": "udp"}, 400, "tag"),
        ({"tag": "a\nb", "q": "udp"}, 400, "tag"),
        ({"tag": "a\\x41", "q": "udp"}, 400, "tag"),
        ({"tag": "x" * 201, "q": "udp"}, 400, "tag"),
        ({"tag": "t"}, 400, "q"),
        ({"tag": "t", "q": 1}, 400, "q"),
        ({"tag": "t", "q": "", "job": "1"}, 400, "job"),
        ({"tag": "t", "q": "", "jobs": [99]}, 404, None),
        ({"tag": "t", "qq": ""}, 400, "qq"),
        ({"tag": "t", "q": "udp ==="}, 400, None),
    ],
)
def test_what_is_wrong_is_named_and_tags_nothing(api, body, status, option):
    refused = api.post("/packets/tags", body)
    assert (refused.status_code, refused.json().get("option")) == (status, option), refused.json()
    assert not TranslationValue.objects.exists()
