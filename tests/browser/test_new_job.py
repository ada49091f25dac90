"""In a real Chromium: the form of a new job says what is wrong with a filter as it is typed, and uploads several files."""

from __future__ import annotations

import re

import pytest

from capture.sample import sample

pytestmark = pytest.mark.needs("Chromium")


def test_filter_and_files(origin, browser, tmp_path):
    (tmp_path / "sample.pcap").write_bytes(sample())
    (tmp_path / "notes.txt").write_text("no capture")
    context = browser.new_context()
    page = context.new_page()
    page.goto(origin + "/jobs/new/")
    page.locator("input[name=filter]").fill("tcp port 80 andd udp")
    page.locator("#filter-says.bad").wait_for()
    assert page.locator("#filter-says mark").inner_text() == "andd"
    page.locator("input[name=filter]").fill("tcp")
    page.locator("#filter-says.good").wait_for()

    page.locator("#file").set_input_files([tmp_path / "sample.pcap", tmp_path / "notes.txt"])
    assert "-F file=@sample.pcap -F filter=tcp" in page.locator("#curl").inner_text()
    page.get_by_role("button", name="Start").click()
    rows = page.locator("#uploads li")
    rows.nth(1).locator(".bad").wait_for()
    assert re.fullmatch(r"is job \d+", rows.nth(0).locator(".is").inner_text())
    assert "not a capture" in rows.nth(1).inner_text()
    assert page.locator("input[name=filter]").input_value() == "tcp"

    # One file alone leads to its job.
    page.locator("input[name=filter]").fill("udp")
    page.locator("#file").set_input_files(tmp_path / "sample.pcap")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    context.close()
