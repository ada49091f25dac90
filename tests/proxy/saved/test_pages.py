"""The pages of saved queries, alerts and tags, as a browser without JavaScript uses them."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from indexing.models import PacketIndex
from tests.jobs import run_job
from tests.proxy.saved.receiver import receiving

HTML = "text/html,application/xhtml+xml"


@pytest.fixture
def index(data) -> str:
    PacketIndex.objects.get_or_create(name="net")
    return "net"


@pytest.fixture
def browser(index) -> Client:
    return Client(headers={"host": "localhost", "accept": HTML})


def page(response) -> str:
    """The page, which has no style or script of its own."""
    text = response.content.decode()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)
    return unescape(text)


FORM = {"name": "Names", "q": "udp.dstport == 53", "threshold": "1", "cooldown_seconds": "0", "window_seconds": ""}


def test_empty_pages_say_what_to_do(browser):
    assert "Nothing saved yet" in page(browser.get("/saved/"))
    assert "nothing that raises them" in page(browser.get("/alerts/"))
    assert "No packet is tagged" in page(browser.get("/packets/tags"))


def test_a_query_is_saved_from_explore_and_its_url_leads_back(browser, api, index, capture):
    job = run_job(capture, index=index)
    text = page(browser.get("/explore/", {"q": "udp.dstport == 53", "job": job.pk}))
    form = re.search(r'<form method="post" action="/saved/">(.*?)</form>', text)[1]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    made = browser.post("/saved/", {**hidden, "name": "Names"})
    assert made.status_code == 303
    url = made.headers["Location"].removesuffix("edit/")
    said = api.get(url).json()
    assert (said["name"], said["q"], said["jobs"], said["alert"]) == ("Names", "udp.dstport == 53", [job.pk], None)
    there = browser.get(url)
    assert there.status_code == 303 and there.headers["Location"] == said["explore_url"]
    assert "udp.dstport == 53" in page(browser.get(said["explore_url"]))
    assert ">Names</b>" in page(browser.get("/saved/"))


def test_alert_settings_are_a_form(browser, api, index):
    url = api.post("/saved/", {"name": "n", "q": "udp"}).json()["url"]
    assert 'name="threshold" value="1"' in page(browser.get(f"{url}edit/"))
    with receiving() as receiver:
        form = {**FORM, "alerts": "on", "threshold": "5", "window_seconds": "60", "webhook": receiver.url}
        saved = browser.post(f"{url}edit/", form)
        secret = re.search(r"<code>([0-9a-f]{64})</code>", page(saved))[1]  # shown this once
        assert "The webhook answered 200." in page(browser.post(f"{url}test-webhook/"))
        assert receiver.is_signed(0, secret)
    said = api.get(url).json()
    assert (said["name"], said["alert"]["threshold"], said["alert"]["window_seconds"]) == ("Names", 5, 60)
    assert said["alert"]["enabled"] and said["alert"]["webhook"] == receiver.url
    assert secret not in page(browser.get(f"{url}edit/"))
    assert "5 packets in 1 min" in page(browser.get("/saved/"))
    assert browser.post(f"{url}edit/", {**FORM, "webhook": receiver.url}).status_code == 303  # unticked
    assert api.get(url).json()["alert"]["enabled"] is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"q": "udp &&"}, "line 1, character"),
        ({"name": ""}, "a saved query needs a name"),
        ({"threshold": "many"}, "threshold must be a number, not 'many'"),
        ({"threshold": "0"}, "threshold must be a number from 1"),
        ({"webhook": "ftp://x/"}, "is no http or https URL"),
        ({"job": "7, x"}, "job must be a number, not 'x'"),
    ],
)
def test_what_is_wrong_stands_on_the_form_with_what_was_given(browser, api, change, words):
    url = api.post("/saved/", {"name": "n", "q": "udp"}).json()["url"]
    refused = browser.post(f"{url}edit/", {**FORM, **change, "cooldown_seconds": "77"})
    assert refused.status_code == 400
    text = page(refused)
    assert words in text and 'value="77"' in text
    assert api.get(url).json()["q"] == "udp"


def test_a_saved_query_is_deleted_after_a_question(browser, api, index):
    url = api.post("/saved/", {"name": "n", "q": "udp"}).json()["url"]
    assert "Delete the saved query" in page(browser.get(f"{url}delete/"))
    assert api.get(url).status_code == 200
    assert browser.post(f"{url}delete/").headers["Location"] == "/saved/"
    assert api.get(url).status_code == 404


def test_alerts_are_listed_and_marked_as_seen(browser, api, index, capture):
    api.post("/saved/", {"name": "n", "q": "udp", "alert": {}})
    run_job(capture, index=index)
    (alert,) = api.get("/alerts/").json()["results"]
    assert alert["explore_url"] in page(browser.get("/alerts/"))
    assert "not yet" in page(browser.get(alert["url"]))
    assert browser.post(f"{alert['url']}acknowledge/").status_code == 303
    assert "not yet" not in page(browser.get(alert["url"]))
    assert "No alert matches" in page(browser.get("/alerts/?acknowledged=false"))


def test_packets_are_tagged_and_untagged_by_forms(browser, api, index, capture):
    run_job(capture, index=index)
    tagged = browser.post("/packets/tags", {"tag": "of names", "q": "udp.dstport == 53"})
    assert tagged.status_code == 303
    assert "of names" in page(browser.get(tagged.headers["Location"]))
    assert "of names" in page(browser.get("/packets/tags"))
    assert browser.post("/packets/tags", {"tag": "of names", "index": "net", "remove": "all"}).status_code == 303
    assert api.get("/packets/tags").json()["tags"] == []
    assert "must hold no control characters" in page(browser.post("/packets/tags", {"tag": "a\\b", "q": ""}))
