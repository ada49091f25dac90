"""In a real Chromium: the page of a live job follows it without reloading, without jumping, and without taking anything from
its reader's hands. What a live worker would write is written by tests/live_rows.py, ever more digits of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server import PATIENCE, ROOT, Server, clean_environment

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"

pytestmark = pytest.mark.needs("Chromium")

# Every shift counts, also one that follows a key or click.
WATCH_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const one of list.getEntries()) {
        for (const source of one.sources) {
          const node = source.node && (source.node.id || source.node.className || source.node.nodeName);
          window.shifts.push([one.value, node, source.previousRect.toJSON(), source.currentRect.toJSON()]);
        }
      }
    }).observe({type: "layout-shift", buffered: true});
"""


class Growing:
    """A job whose counters grow until `end`."""

    def __init__(self, server: Server, capture: Path) -> None:
        self.pk = server.upload(capture, "?wait=60&again=true")["id"]
        self.url = f"http://localhost:{server.port}/jobs/{self.pk}/"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live_rows", str(self.pk)],
            cwd=ROOT,
            env=clean_environment(PICAPWEB_DATA=str(server.data), PYTHONPATH=os.pathsep.join([str(ROOT)])),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("second")

    def end(self) -> None:
        """The job is done."""
        if self._process.poll() is None:
            out, _ = self._process.communicate(timeout=PATIENCE)
            assert out.rstrip().endswith("done")


@pytest.fixture
def job(server, shared) -> Iterator[Growing]:
    growing = Growing(server, shared / CAPTURE)
    yield growing
    growing.end()


@pytest.fixture
def open_page(browser) -> Iterator[Callable[..., object]]:
    contexts = []

    def open_it(url: str, **options: object) -> object:
        context = browser.new_context(locale="en-US", **options)
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(WATCH_SHIFTS)
        page.goto(url)
        # A reload would lose this.
        page.evaluate("window.stillHere = true")
        return page

    yield open_it
    for context in contexts:
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")  # else one that is at work fails, and the next test has its error
        context.close()


def number(page, place: str) -> int:
    return int(page.locator(f"#{place}").inner_text().replace(",", ""))


def wait_until_more(page, place: str, times: int = 1) -> None:
    """Until the number has changed so many times."""
    for _ in range(times):
        page.wait_for_function(
            "([id, old]) => document.getElementById(id).textContent !== old", arg=[place, page.locator(f"#{place}").inner_text()]
        )


@pytest.mark.parametrize("width", [1280, 400])
def test_it_follows_the_job_and_nothing_jumps(job, open_page, width):
    page = open_page(job.url, viewport={"width": width, "height": 800})
    asked: list[str] = []
    # Chromium asks for the page's icon when it likes, and that is not the page's doing.
    page.on("request", lambda request: asked.append(request.url.removeprefix(job.url)) if "/static/" not in request.url else None)
    before, area = number(page, "captured"), page.locator(".sparkline path.area").get_attribute("d")
    wait_until_more(page, "captured", 6)
    assert number(page, "captured") > before
    assert page.locator(".sparkline path.area").get_attribute("d") != area
    assert page.evaluate("window.shifts") == []
    assert page.evaluate("window.stillHere")
    # Events said when: nothing was asked for without them. Of three parts, each at most once a second.
    assert set(asked) <= {"live/", "live/?part=tops", "live/?part=health", "events/"}

    # At the end the whole page comes again, once.
    job.end()
    page.locator(".state.done").wait_for()
    assert not page.evaluate("window.stillHere")
    asked.clear()
    page.wait_for_timeout(2500)
    # The second pass over its packets may still be at work: that part alone follows it.
    assert set(asked) <= {"live/?part=health"}


def test_it_asks_every_second_where_events_are_refused(job, open_page, browser):
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.route("**/events/", lambda route: (refused.append(route.request.url), route.fulfill(status=503, body="later"))[1])
    began = time.monotonic()
    page.goto(job.url)
    wait_until_more(page, "captured", 3)
    # A stream is asked for again after half a minute, and not with each update.
    assert 1 <= len(refused) <= 1 + (time.monotonic() - began) // 30
    context.close()


def test_a_hidden_page_rests_and_a_page_that_is_seen_again_is_up_to_date(job, open_page):
    page = open_page(job.url)
    wait_until_more(page, "captured")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(300)
    asked.clear()
    page.wait_for_timeout(2500)
    assert asked == []
    page.evaluate(hide, False)
    wait_until_more(page, "captured")
    assert any(url.endswith("/events/") for url in asked)


def test_focus_selection_details_and_scroll_stay(job, open_page):
    page = open_page(job.url, viewport={"width": 1000, "height": 500})
    page.locator("#super-frames summary").click()
    page.locator("#indexed").focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#captured'))")
    page.evaluate("scrollTo(0, 300)")
    held = number(page, "captured")
    wait_until_more(page, "packets-now", 3)
    assert page.evaluate("document.activeElement.id") == "indexed"
    assert page.evaluate("getSelection().toString()").replace(",", "") == str(held)
    assert page.evaluate("scrollY") == 300
    assert page.locator("#super-frames").get_attribute("open") is not None
    # What was held because it was being selected goes on when it is let go.
    page.evaluate("getSelection().removeAllRanges()")
    wait_until_more(page, "captured")
    assert number(page, "captured") > held


def test_top_values_keep_their_places_while_they_grow(job, open_page):
    page = open_page(job.url)
    facet = page.locator('.facet[data-key="netsrc"]')
    names = facet.locator(".v .name bdi")
    before = names.all_inner_texts()
    assert len(before) >= 3
    facet.locator(".v .name").nth(1).focus()

    def grown(count):
        return f'class="count grown"{count[1]}>{"1,00" + count[2]:>10}<'

    def busier(route):
        """The last value has become the first, all counts are larger, and one value has given way to another."""
        answer = route.fetch()
        text = answer.text()
        start = text.index('data-key="netsrc"')
        head, rest = text[:start], text[start:]
        items = re.findall(r'<li class="v".*?</li>', rest[: rest.index("</ul>")], re.DOTALL)
        turned = [re.sub(r'class="count"([^>]*)> *([\d,]+)<', grown, item) for item in reversed(items)]
        turned[-1] = turned[-1].replace(before[0], "203.0.113.9")
        body = head + rest.replace("\n".join(items), "\n".join(turned), 1)
        assert body != text
        route.fulfill(response=answer, body=body)

    page.route("**/live/?part=tops", busier)
    facet.locator(".grown").first.wait_for()
    assert all(count.strip().startswith("1,00") for count in facet.locator(".count").all_inner_texts())
    assert names.all_inner_texts() == ["203.0.113.9", *before[1:]]
    assert page.evaluate("document.activeElement.closest('.v').dataset.key") == before[1]
    assert page.evaluate("window.shifts") == []


def test_an_answer_that_does_not_come_is_said(job, open_page):
    page = open_page(job.url)
    wait_until_more(page, "captured")
    page.route("**/live/**", lambda route: route.fulfill(status=503, body="away"))
    page.locator("[data-stale]", has_text="no answer since").wait_for()
    page.unroute("**/live/**")
    page.wait_for_function("() => document.querySelector('[data-stale]').textContent === ''")
    assert page.evaluate("window.stillHere")


def test_the_list_of_jobs_follows_them(server, job, open_page):
    page = open_page(f"http://localhost:{server.port}/jobs/")
    line = page.locator(f'tr[data-key="{job.pk}"]')
    line.get_by_role("link", name="eth7, wlan0").focus()
    rate = line.get_by_text("packets/s")
    page.wait_for_function(
        "([key, old]) => !document.querySelector(`tr[data-key='${key}']`).textContent.includes(old)",
        arg=[str(job.pk), rate.inner_text()],
    )
    assert page.evaluate("document.activeElement.textContent") == "eth7, wlan0"
    assert page.evaluate("window.shifts") == []
    assert page.evaluate("window.stillHere")
    job.end()
    line.locator(".state.done").wait_for()
    assert page.evaluate("window.stillHere")


def test_without_javascript_it_follows_too(job, browser):
    from playwright.sync_api import expect

    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(job.url)
    before = number(page, "captured")
    # By <meta>: no other way changes the page. It may come again before the next second is written.
    expect(page.locator("#captured")).not_to_have_text(f"{before:,}", timeout=60_000)
    assert number(page, "captured") > before
    context.close()
