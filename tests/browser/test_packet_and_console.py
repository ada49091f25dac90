"""In a real Chromium: bytes and lines of a packet by mouse and keyboard, and what the console remembers and proposes."""

from __future__ import annotations

import re

import pytest

from tests.browser.captures import AGENT

pytestmark = pytest.mark.needs("Chromium")


@pytest.fixture
def page(browser, server, shown):
    context = browser.new_context(base_url=f"http://localhost:{server.port}", locale="en-US")
    opened = context.new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    assert opened.complaints == []
    context.close()


def marked(page) -> str:
    """The hex that is highlighted."""
    return page.evaluate("[...(CSS.highlights.get('bytes') ?? [])].map(String).filter((_, i) => i % 2 === 0).join(' ')")


def test_a_line_and_its_bytes(page, shown):
    page.goto(f"/packets/net/{shown.request}/")
    agent = page.locator(".tree .line", has_text="User_Agent")
    agent.hover()
    assert AGENT.encode().hex(" ")[:20] in re.sub(r"\s+", " ", marked(page))
    assert "User_Agent" in page.locator("#at").inner_text()

    # By keyboard: one stop for the whole tree, arrows from line to line, Enter asks for the value
    page.locator(".tree summary").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.querySelector('b').textContent") == "type"
    assert marked(page) == "08 00"
    # The other way round: from a byte to its line
    page.keyboard.press("Tab")
    page.locator("#hexdump").focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator(".tree .on b").inner_text() == "dst"
    assert page.locator("#at").inner_text().startswith("bytes 0–5: dst ")
    page.locator("#hexdump .h").nth(0).hover(position={"x": 60, "y": 6})
    assert page.locator(".tree .on b").count() == 1

    page.locator(".tree .line", has_text="Host").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/explore/\?.*http-hostname"))


def test_the_console_remembers_and_proposes(page):
    from playwright.sync_api import expect

    page.goto("/query/")
    page.locator("#q").fill("Count(Row(tcp=SYN))")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile("Count"))
    page.locator("#q").fill("Count(Row(nosuchfield=1))")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile("nosuchfield"))
    assert page.locator("#history li").all_inner_texts() == ["Count(Row(tcp=SYN))"]  # not what could not be read
    page.locator("#history a").click()
    page.wait_for_url(re.compile("SYN"))
    assert page.locator("#q").input_value() == "Count(Row(tcp=SYN))"
    page.get_by_role("button", name="Forget").click()
    page.reload()
    assert page.locator("#history a").count() == 1  # what was asked just now

    page.locator("#q").fill("")
    page.locator("#q").press_sequentially("TopN(http-ho")
    page.locator("#completions li", has_text="http-hostname").wait_for()
    page.keyboard.press("Tab")
    # The list may have been that of fewer letters: then the next is asked for first
    expect(page.locator("#q")).to_have_value(re.compile(r"^TopN\(http-hostname"), timeout=30_000)
