"""In a real Chromium: what somebody who has read nothing wants to know, found by at most six clicks from the start page."""

from __future__ import annotations

import pytest
from scapy.utils import rdpcap

from tests.browser import six_tasks
from tests.browser.captures import AGENT, MOST_BYTES, NOBODY, ONE_ASKS, SHOP, SITES, UPDATES

pytestmark = pytest.mark.needs("Chromium")


@pytest.fixture
def hand(browser, server, shown):
    context = browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
    hand = six_tasks.Hand(context.new_page(), f"http://localhost:{server.port}")
    yield hand
    assert hand.clicks <= six_tasks.MOST_CLICKS
    context.close()


def test_hosts_that_sent_the_most_bytes_in_the_last_minute(hand, shown):
    found = six_tasks.most_bytes_in_the_last_minute(hand, shown.second)
    assert found[0][1] == MOST_BYTES


def test_whole_connections_to_a_server_name(hand, shown, tmp_path):
    packets = rdpcap(str(six_tasks.whole_connections_to_a_server_name(hand, shown.second, SHOP)))
    ends = {(packet["IP"].src, packet["IP"].dst) for packet in packets}
    assert all(SITES[SHOP] in pair for pair in ends)
    # Whole: the handshakes and the last packets are in it, from both sides.
    flags = [(str(packet["TCP"].flags), packet["IP"].dst == SITES[SHOP]) for packet in packets]
    assert flags.count(("S", True)) == flags.count(("SA", False)) == flags.count(("FA", True)) == flags.count(("FA", False)) > 0


def test_names_that_one_host_asked_for(hand, shown):
    found = six_tasks.names_that_one_host_asked_for(hand, shown.second)
    assert [row[1] for row in found if row[2] == "1"] == [ONE_ASKS]


def test_syns_that_nobody_answered(hand, shown):
    assert six_tasks.syns_that_nobody_answered(hand, shown.second).startswith("4 of ")
    assert set(hand.page.locator("table.packets").get_by_role("link", name=NOBODY, exact=True).all_inner_texts()) == {NOBODY}


def test_what_is_new_since_the_day_before(hand, shown):
    new = six_tasks.new_since_the_day_before(hand, shown.second)
    assert {UPDATES, SITES[UPDATES]} <= set(new)
    assert SHOP not in new


def test_bytes_of_the_request_of_a_user_agent(hand, shown):
    data = six_tasks.bytes_of_the_request_of_a_user_agent(hand, shown.second, AGENT)
    assert f"User-Agent: {AGENT}\r\n".encode() in data
