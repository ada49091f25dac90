"""Six tasks as somebody does them who has read nothing, from the start page, by clicks alone.

``python -m tests.browser.six_tasks A B`` uploads two captures to a picapweb of its own, does the tasks on the second, and prints
clicks and the seconds that the machine took.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import server as servers
from tests.browser.screenshots import browser
from tests.server import Server

MOST_CLICKS = 6


class Hand:
    """Clicks on a page and counts them; seconds: from each click until what it led to was there."""

    def __init__(self, page: Any, origin: str) -> None:
        self.page, self.clicks, self.seconds, self.route = page, 0, 0.0, ["start page"]
        page.goto(origin + "/")

    def click(self, place: Any, word: str = "") -> None:
        """A click on a link or a button; what it leads to is waited for."""
        self.route.append(word or place.inner_text().strip().split("\n")[0])
        here, leads = self.page.url, place.evaluate("(one) => Boolean(one.closest('a[href]'))")
        began = time.perf_counter()
        place.click()
        if leads:  # without this, the page that is being left would do
            self.page.wait_for_url(lambda url: url != here)
        self.page.wait_for_load_state("load")
        # The explore page changes in place.
        self.page.wait_for_function("() => !document.querySelector('main[aria-busy=true]')")
        self._count(began)

    def download(self, place: Any) -> Path:
        """A click that brings a file, whole."""
        self.route.append(place.inner_text().split("pcapng")[0].strip())
        began = time.perf_counter()
        with self.page.expect_download() as coming:
            place.click()
        path = Path(coming.value.path())
        self._count(began)
        return path

    def _count(self, began: float) -> None:
        self.clicks, self.seconds = self.clicks + 1, self.seconds + time.perf_counter() - began

    def to_job(self, job: int) -> None:
        """The second capture is the first in the list."""
        self.click(self.page.locator(f'.jobs a[href="/jobs/{job}/"]').last)


def most_bytes_in_the_last_minute(hand: Hand, job: int) -> list[list[str]]:
    """Values of netsrc and what they sent, the largest first."""
    hand.click(hand.page.locator(f'a[href="/explore/?job={job}"]').first, "its number of packets")
    hand.click(hand.page.locator("details.when > summary"))
    hand.click(hand.page.get_by_role("link", name="Last minute"))
    hand.click(hand.page.locator(".facet h3").get_by_role("link", name="netsrc", exact=True))
    hand.click(hand.page.locator(".sum").get_by_role("link", name="Bytes"))
    return rows(hand)


def whole_connections_to_a_server_name(hand: Hand, job: int, name: str = "") -> Path:
    """A file of them."""
    hand.to_job(job)
    hand.click(_value(hand, "tls-sni", name), "a server name")
    hand.click(hand.page.locator("summary", has_text="Download"))
    return hand.download(hand.page.get_by_role("link", name="Whole conversations"))


def names_that_one_host_asked_for(hand: Hand, job: int) -> list[list[str]]:
    """Values of dns-qname and how many hosts asked for them, the fewest first."""
    hand.to_job(job)
    hand.click(hand.page.get_by_role("link", name="Which DNS names did the fewest hosts ask for?"))
    return rows(hand)


def syns_that_nobody_answered(hand: Hand, job: int) -> str:
    """The sentence above them."""
    hand.to_job(job)
    hand.click(hand.page.get_by_role("link", name="SYNs that nobody answered"))
    return str(hand.page.locator("#sentence").inner_text())


def new_since_the_day_before(hand: Hand, job: int) -> list[str]:
    """Values that are new."""
    hand.to_job(job)
    hand.click(hand.page.get_by_role("link", name="Compare with job"))
    return [str(one) for one in hand.page.locator("tr:has(.state-new) .name").all_inner_texts()]


def bytes_of_the_request_of_a_user_agent(hand: Hand, job: int, agent: str = "") -> bytes:
    """They stand on the page of the packet."""
    hand.to_job(job)
    hand.click(_value(hand, "http-useragent", agent), "a user agent")
    hand.click(hand.page.locator("table.packets a.to").first, "a packet")
    return bytes.fromhex("".join(hand.page.locator("#hexdump .h").all_inner_texts()))


TASKS: dict[str, Callable[[Hand, int], Any]] = {
    "Which hosts sent the most bytes in the last minute of the capture?": most_bytes_in_the_last_minute,
    "The whole TLS connections to one server name, as a capture": whole_connections_to_a_server_name,
    "DNS names that only one host asked for": names_that_one_host_asked_for,
    "SYNs that nobody answered": syns_that_nobody_answered,
    "What is new in today's capture against yesterday's?": new_since_the_day_before,
    "The bytes of the request that has a given user agent": bytes_of_the_request_of_a_user_agent,
}


def _value(hand: Hand, field: str, value: str) -> Any:
    """The link of a value (empty: the first) in the top values of a job's page."""
    facet = hand.page.locator(".facet", has=hand.page.get_by_role("link", name=field, exact=True))
    line = facet.locator(".v", has_text=value).first if value else facet.locator(".v").first
    return line.locator(".name")


def rows(hand: Hand) -> list[list[str]]:
    """What a table of values says."""
    read = "(lines) => lines.map((line) => [...line.cells].map((cell) => cell.innerText.trim()))"
    return list(hand.page.locator("table.values tbody tr").evaluate_all(read))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.six_tasks", description=(__doc__ or "").split("``")[0])
    parser.add_argument("captures", nargs=2, type=Path, help="the captures of the day before and of today")
    given = parser.parse_args()
    servers.PATIENCE = 600.0
    data = Path(tempfile.mkdtemp(prefix="picapweb-tasks-"))
    try:
        with Server(data) as server, browser() as opened:
            jobs = [server.upload(one, f"?name={one.name}&wait=600") for one in given.captures]
            print("packets: " + ", ".join(f"{one['packets']['indexed']:,}" for one in jobs))
            for title, task in TASKS.items():
                context = opened.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
                hand = Hand(context.new_page(), f"http://localhost:{server.port}")
                found = task(hand, jobs[1]["id"])
                size = f"{found.stat().st_size:,} bytes" if isinstance(found, Path) else str(found)[:100]
                print(f"| {title} | {' → '.join(hand.route)} | {hand.clicks} | {hand.seconds:.1f} | {size}", flush=True)
                context.close()
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
