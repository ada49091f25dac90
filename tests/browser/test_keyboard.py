"""In a real Chromium, three pages without a mouse: Explore to a packet, a query on the console, a new job."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.browser.captures import AGENT

pytestmark = pytest.mark.needs("Chromium")

FOCUS_IS_SEEN = """() => {
    const at = document.activeElement;
    return at === document.body || getComputedStyle(at).outlineStyle !== "none";
}"""


@pytest.fixture
def page(browser, server, shown):
    context = browser.new_context(base_url=f"http://localhost:{server.port}", locale="en-US")
    opened = context.new_page()
    # Who presses what moves nothing: there is no pointer on the page.
    yield opened
    context.close()


def tab_to(page, place: str) -> None:
    """Tab until the element has the focus. At each stop one must see where it is."""
    for _ in range(120):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_IS_SEEN), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if page.evaluate("(place) => document.activeElement.matches(place)", place):
            return
    raise AssertionError(f"Tab does not reach {place}")


def test_from_a_question_to_a_packet(page, shown):
    page.goto("/explore/")
    page.keyboard.press("/")
    page.keyboard.type(f'http.user_agent == "{AGENT}"')
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/explore/\?.*inventory"))
    assert page.locator("#sentence").inner_text().startswith("2 of ")
    page.keyboard.press("Escape")  # out of the query
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.getAttribute('href')") != first
    assert page.evaluate(FOCUS_IS_SEEN)
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.getAttribute('href')") == first
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/packets/net/{shown.request}/"))
    assert AGENT in page.locator("main").inner_text()


def test_a_query_on_the_console(page):
    page.goto("/query/")
    page.keyboard.press("/")
    page.keyboard.type('Count(Row(tcp="SYN"))')
    page.keyboard.press("Escape")  # a list of what may come next is not wanted
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/query/\?.*Count"))
    assert int(page.locator(".result .figure a").first.inner_text().replace(",", "")) > 0


def test_a_new_job(page, server, tmp_path):
    from tests.browser.captures import made

    folder = server.data / "import"
    folder.mkdir(exist_ok=True)
    shutil.copy(made(tmp_path)[0], folder / "by-keyboard.pcap")
    page.goto("/")
    tab_to(page, 'a[href="/jobs/new/"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/new/")
    tab_to(page, "#from-upload")
    page.keyboard.press("ArrowRight")
    tab_to(page, "input[name=filename]")
    page.keyboard.type("by-keyboard.pcap")
    tab_to(page, "input[name=filter]")
    page.keyboard.type("tcp port 3389")
    tab_to(page, "button.go")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    page.locator(".state.done").wait_for(timeout=60_000)
    page.wait_for_load_state()  # the page came again, and it may not be here to its end
    assert page.locator("#indexed").inner_text() == "4"
    tab_to(page, 'a.go[href^="/explore/"]')
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/explore/\?job=\d+"))
    assert page.locator("#sentence").inner_text() == "4 packets"
