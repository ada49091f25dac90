"""In a real Chromium: how a job's conversations went, from the upload to the packets of a figure, and the marks of a ladder."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.needs("Chromium", "../shared")

CAPTURE = "pcaps/protocols/nfstream__no_sni.pcap"


@pytest.fixture
def page(browser, origin):
    context = browser.new_context(base_url=origin, locale="en-US")
    opened = context.new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("console", lambda said: opened.complaints.append(said.text) if said.type == "error" else None)
    yield opened
    assert opened.complaints == []
    context.close()


@pytest.fixture
def job(page, shared):
    page.goto("/jobs/new/")
    page.locator("input[name=file]").set_input_files(shared / CAPTURE)
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    page.locator(".state.done").wait_for(timeout=60_000)
    page.locator(".health:not(.growing)").wait_for(timeout=60_000)  # the second pass may be at work when the job is done
    return int(page.url.rstrip("/").rpartition("/")[2])


def line(page, title: str):
    """The words of a line of the summary."""
    return page.locator(".health dt", has_text=title).locator("xpath=following-sibling::dd[1]")


def test_from_a_figure_to_its_packets(page, job):
    assert page.get_by_text("still looking at conversations").count() == 0
    assert re.match(r"[0-9.]+ % of [0-9,]+ TCP packets · ", line(page, "Retransmitted").inner_text())
    assert "on average" in line(page, "Round trips of TCP").inner_text()
    lost = line(page, "Also in TCP").get_by_role("link", name=re.compile("segments? before which"))
    count = lost.inner_text().split()[0]
    lost.click()
    page.wait_for_url(re.compile(r"/explore/\?"))
    assert page.locator("#q").input_value() == "tcp.analysis.lost_segment"
    assert page.locator("#sentence").inner_text().split()[0] == count
    assert int(count.replace(",", "")) > 1


def test_the_marks_of_a_ladder(page, job):
    page.goto(f"/explore/?job={job}&q=tcp.analysis.lost_segment")
    page.locator("table.packets a.to").first.click()
    page.wait_for_url(re.compile(r"/packets/net/\d+/"))
    said = page.locator(".sumline .note-of").first
    assert said.inner_text() == "Previous segment not captured"
    page.get_by_role("link", name="Conversation", exact=True).click()
    page.wait_for_url(re.compile(r"/flows/net/\d+/"))
    marks = page.locator(".ladder .note-of")
    words = {re.sub(r" #\d+$", "", text) for text in marks.all_inner_texts()}
    assert {"Previous segment not captured", "Dup ACK"} <= words
    # A word and a colour each, and below what it means
    assert set(page.locator(".legend .note-of").all_inner_texts()) == words
    assert all(page.locator(".legend dd").all_inner_texts())
    colour = "mark => getComputedStyle(mark).borderLeftColor"
    one, other = (page.locator(".ladder .note-of", has_text=text).first.evaluate(colour) for text in ("Previous", "Dup ACK"))
    assert one != other
    assert "TCP packets" in page.locator(".flow-health").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
