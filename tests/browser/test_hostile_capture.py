"""Pages of a capture in which every text that a stranger can write tries to become markup: in a real browser nothing runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.browser.conftest import emptied
from tests.hostile.capture import HOSTILE, made

pytestmark = pytest.mark.needs("Chromium")

SCRIPT, ATTRIBUTE = HOSTILE["script"].decode(), HOSTILE["attribute"].decode()
NAME = f"{SCRIPT} {ATTRIBUTE}"
TEXTS = (
    "dns-qname",
    "tls-sni",
    "http-hostname",
    "http-useragent",
    "http-path",
    "http-server",
    "ssh-banner",
    "dhcp-hostname",
    "iface",
)
# What the capture's texts would have made, had one of them become markup.
INJECTED = """() => [
    ...document.querySelectorAll("script:not([src]), img[src='x'], [onload], [onerror], [onfocus], [onmouseover]"),
    ...[...document.querySelectorAll("[href], [src], [action]")].filter((one) =>
        ["href", "src", "action"].some((name) => /^\\\\s*(javascript|data:text)/i.test(one.getAttribute(name) ?? ""))),
].map((one) => one.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def job(server, tmp_path_factory) -> int:
    emptied(server)
    path: Path = tmp_path_factory.mktemp("hostile") / "hostile.pcapng"
    packets = made(path)
    said = server.upload(path, "?" + urlencode({"name": NAME, "tags": SCRIPT, "wait": "60"}))
    assert (said["state"], said["packets"]["indexed"]) == ("done", packets), said
    _done(server, "POST", "/saved/", name=NAME, q=f'http-useragent == "{SCRIPT}"', alert={"enabled": True, "threshold": 1})
    _done(server, "POST", "/packets/tags", tag=SCRIPT, q="dns")
    _done(server, "PUT", f"/packets/net/{said['columns'][0][0]}/note", text=NAME)
    return int(said["id"])


def _done(server, method: str, path: str, **body: Any) -> None:
    status, said = server.ask(method, path, json.dumps(body), **{"Content-Type": "application/json"})
    assert status < 300, said


@pytest.fixture
def tab(browser) -> Iterator[tuple[Any, list[str]]]:
    """A tab, and all that is wrong in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("dialog", lambda one: (wrong.append(f"dialog: {one.message}"), one.dismiss()))
    page.on("console", lambda said: said.type in ("error", "warning") and wrong.append(f"{page.url}: {said.type}: {said.text}"))
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: exception: {error}"))
    yield page, wrong
    context.close()


def paths(job: int, columns: list[int]) -> Iterator[str]:
    yield from (
        "/",
        f"/jobs/?{urlencode({'tag': SCRIPT, 'text': NAME})}",
        f"/jobs/{job}/",
        f"/jobs/{job}/delete/",
        "/saved/",
        "/alerts/",
    )
    yield from (
        "/packets/tags",
        "/fields/",
        f"/flows/?job={job}",
        f"/compare/?a_job={job}&b_job={job}&text={quote(SCRIPT)}",
        "/system/",
    )
    yield f"/explore/?job={job}&{urlencode({'fields': ','.join(TEXTS)})}&" + "&".join(f"facet={name}" for name in TEXTS)
    for text in HOSTILE.values():
        shown = text.decode("utf-8", "backslashreplace")[:200]
        yield "/explore/?" + urlencode({"q": f"http-useragent == {json.dumps(shown)}"})
    yield from (f"/top/?field={name}&job={job}" for name in TEXTS)
    yield "/query/?" + urlencode({"q": f"TopN(http-useragent, n=50) TopN(dns-qname, n=50) Row({SCRIPT}"})
    yield "/query/?" + urlencode({"q": "TopN(http-useragent, n=50)\nTopN(dns-qname, n=50)"})
    yield from (f"/packets/net/{column}/" for column in columns)
    yield from (f"/flows/net/{column}/{more}" for column in columns[:2] for more in ("", "payload/"))


def test_nothing_of_it_runs_on_any_page(server, tab, job: int):
    page, wrong = tab
    first = server.job(job)["columns"][0][0]
    of_texts = [first + 10 * number + number % 10 for number in range(len(HOSTILE))]  # each text, in one protocol or another
    seen = 0
    for path in paths(job, [first, first + 2, *of_texts]):
        answer = page.goto(f"http://localhost:{server.port}{path}", wait_until="load")
        assert answer.status < 500, path
        if answer.status >= 400:  # the browser itself says so of a page that says so
            wrong[:] = [one for one in wrong if f"status of {answer.status} " not in one]
        wrong += [f"{path}: {one}" for one in page.evaluate(INJECTED)]
        seen += "alert('hostile')" in page.content().replace("&#x27;", "'").replace("&#39;", "'")
    assert not wrong, "\n".join(wrong[:20])
    assert seen > 20  # the texts were there to be seen


def test_what_a_script_puts_in_later_is_text_too(server, tab, job: int):
    """Completions, chips, and what the packet page says on a click."""
    page, wrong = tab
    page.goto(f"http://localhost:{server.port}/explore/?job={job}")
    page.locator("[name=q]").first.click()
    page.keyboard.insert_text('http-useragent == "<scr')  # at once: no list of fewer letters comes first
    page.locator("[role=listbox] [role=option]", has_text="<script>").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wrong += page.evaluate(INJECTED)
    assert not wrong, "\n".join(wrong)
