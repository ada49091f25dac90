"""In a real Chromium: a capture is uploaded, its job followed to done, and a top value leads to its packets and to one packet."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest

CAPTURE = "protocols/dpkt__nb6-http.pcap"

pytestmark = pytest.mark.needs("Chromium")


@pytest.fixture
def capture(shared: Path) -> Path:
    return shared / "pcaps" / CAPTURE


@pytest.fixture
def truth(shared: Path) -> dict[str, Any]:
    """What tshark says of the capture."""
    return json.loads((shared / "pcaps" / "truth" / f"{CAPTURE}.json").read_text())


def records(path: Path) -> list[bytes]:
    """The packets of a little-endian classic pcap, read plainly (pcap(5): 24 bytes of head, 16 before each packet)."""
    data, at, found = path.read_bytes(), 24, []
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        found.append(data[at + 16 : at + 16 + length])
        at += 16 + length
    return found


def test_from_upload_to_packet(origin, browser, capture, truth):
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    complaints: list[str] = []
    elsewhere: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith(origin + "/") else None)

    # An empty house says what to do next.
    page.goto(origin + "/")
    page.get_by_role("link", name="Upload a capture").click()

    # Small batches, so that there is a job to follow.
    page.locator("input[name=file]").set_input_files(capture)
    page.get_by_text("More options").click()
    page.locator("input[name=bufsize]").fill("4")
    assert "curl -F file=@dpkt__nb6-http.pcap -F bufsize=4" in page.locator("#curl").inner_text()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    page.locator(".state.done").wait_for(timeout=60_000)
    page.wait_for_load_state()  # the page came again, and it may not be here to its end
    assert page.locator("#indexed").inner_text() == str(truth["packets"])

    # Top values are tshark's.
    addresses = truth["first"]["ip.src"]  # all IPv6 of this capture is inside a tunnel
    shown = {
        line.locator(".name").inner_text(): int(line.locator(".count").inner_text())
        for line in page.locator(".facet", has=page.get_by_role("link", name="netsrc", exact=True)).locator(".v").all()
    }
    assert len(shown) == min(8, len(addresses))
    assert shown == {address: addresses[address] for address in shown}
    assert min(shown.values()) >= max((count for address, count in addresses.items() if address not in shown), default=0)

    # From a value to its packets.
    host = "ipv4.icanhazip.com"
    hosts = page.locator(".facet", has=page.get_by_role("link", name="http-hostname", exact=True))
    hosts.locator(".v", has_text=host).locator(".count").click()
    page.wait_for_url(re.compile(r"/explore/\?"))
    count = truth["first"]["http.host"][host]
    assert page.locator("#sentence").inner_text() == f"{count} of {truth['packets']} packets"
    assert page.locator("#q").input_value() == f'Row(http-hostname="{host}")'
    assert page.locator("table.packets tbody tr").count() == count

    # And to one of them, byte by byte.
    link = page.locator("table.packets a.to").first
    number = int(link.inner_text())
    link.click()
    page.wait_for_url(re.compile(r"/packets/net/\d+/"))
    data = records(capture)[number - 1]
    assert f"Host: {host}\r\n".encode() in data
    assert bytes.fromhex("".join(page.locator("#hexdump .h").all_inner_texts())) == data
    assert page.locator(".indexed").get_by_role("link", name=host).count() == 1

    # Pointing at a layer marks its bytes.
    page.locator(".tree summary").first.hover()
    assert page.evaluate("CSS.highlights.has('bytes')")

    assert complaints == []
    assert elsewhere == []
    context.close()


def test_without_javascript(origin, browser, shared):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(origin + "/jobs/new/")
    page.locator("input[name=file]").set_input_files(shared / "pcaps/protocols/zeek__wikipedia.pcap")
    page.locator("input[name=filter]").fill("port port")
    page.get_by_role("button", name="Start").click()

    # A bad filter: the words stand at its field, and what was filled in is still there.
    assert "port port" in page.locator(".option.bad .why").inner_text()
    assert page.locator("input[name=filter]").input_value() == "port port"

    page.locator("input[name=filter]").fill("udp")
    page.locator("input[name=file]").set_input_files(shared / "pcaps/protocols/zeek__wikipedia.pcap")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    page.locator(".state.done").wait_for(timeout=60_000)  # the page reloads itself by <meta>
    told = json.loads((shared / "pcaps/truth/bpf.json").read_text())["files"]["protocols/zeek__wikipedia.pcap"]
    assert page.locator("#indexed").inner_text() == str(told["udp"])

    # Deleted, after a question: gone from the list.
    here = page.url
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url(origin + "/jobs/")
    assert page.locator(f'a[href="{here.removeprefix(origin)}"]').count() == 0
    context.close()


def test_a_wrong_query_shows_where(origin, browser):
    page = browser.new_page()
    query = 'Intersect(Row(tcp="SYN"), Row(nosuchthing'
    for path in ("/explore/", "/query/"):
        answer = page.goto(f"{origin}{path}?q=" + query.replace(" ", "%20").replace('"', "%22"))
        assert answer.status == 400
        shown, caret = page.locator(".wrong pre").inner_text().split("\n")[:2]
        assert shown == query
        assert caret.strip() == "^"
        assert caret.index("^") >= query.index("nosuchthing")
    page.close()
