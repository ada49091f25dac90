"""In a real Chromium, every page, wide and light, narrow and dark: nothing complains, nothing is fetched from elsewhere, nothing
jumps or runs out of the window, it is small, and axe-core (WCAG 2.2, A and AA, as far as a program can tell) finds nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve

from tests.browser.every_page import MORE_PAGES, NO_PAGES, PAGES, Page, Shown

pytestmark = pytest.mark.needs("Chromium")

MOST_BYTES = 300_000
MOST_SHIFT = 0.05
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "rules": {"target-size": {"enabled": True}}}
# What the width of the window and the colours decide.
RULES_OF_LOOK = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]}}
MEASURED = """async () => {
    let shift = 0;
    const add = (entries) => { for (const one of entries) shift += one.value; };
    const watch = new PerformanceObserver((list) => add(list.getEntries()));
    watch.observe({type: "layout-shift", buffered: true});
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await new Promise((done) => setTimeout(done, 50));
    add(watch.takeRecords());
    const came = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const inside = document.documentElement;
    return {
        shift,
        bytes: came.reduce((sum, one) => sum + one.encodedBodySize, 0),
        over: inside.scrollWidth - inside.clientWidth,
        widest: [...document.body.querySelectorAll("*")]
            .filter((one) => one.getBoundingClientRect().right > inside.clientWidth + 1)
            .slice(0, 5).map((one) => one.outerHTML.slice(0, 100)),
        sideways: [...document.querySelectorAll("main *")]
            .filter((one) => one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX))
            .filter((one) => one.clientWidth && !one.closest("pre, .menu"))
            .filter((one) => !one.querySelector(":scope > table.wide-by-choice, pre"))
            .map((one) => `${one.outerHTML.slice(0, 100)} by ${one.scrollWidth - one.clientWidth} px`),
        links: [...document.querySelectorAll("a[href]")].map((one) => one.getAttribute("href")),
    };
}"""
# Menus and what else opens stay within the window too.
OPENED = """() => {
    const inside = document.documentElement, out = [];
    for (const one of document.querySelectorAll("details")) {
        one.open = true;
        const menu = one.querySelector(".menu");
        const box = menu && menu.getBoundingClientRect();
        if (box && (box.left < 0 || box.right > inside.clientWidth)) out.push(`${menu.outerHTML.slice(0, 100)} at ${box.left}`);
        if (menu) one.open = false;
    }
    if (inside.scrollWidth > inside.clientWidth) out.push(`${inside.scrollWidth - inside.clientWidth} px too wide`);
    return out;
}"""
VIOLATIONS = """async (rules) => {
    const found = await axe.run(document, {...rules, resultTypes: ["violations"]});
    const why = (node) => node.failureSummary.split("\\n").slice(1);
    const words = (node) => [node.target.join(" "), node.html.slice(0, 160), ...why(node)].join(": ");
    return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${words(node)}`));
}"""


@dataclass(frozen=True)
class Look:
    name: str
    width: int
    colours: str
    rules: Any


LOOKS = (Look("wide-light", 1280, "light", RULES), Look("narrow-dark", 360, "dark", RULES_OF_LOOK))


@cache
def axe() -> str:
    """The text of axe-core, as its package has it."""
    spec = find_spec("axe_playwright_python")
    assert spec is not None and spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def contexts(browser) -> Iterator[dict[str, Any]]:
    """A context a look."""
    opened = {
        look.name: browser.new_context(
            viewport={"width": look.width, "height": 800}, color_scheme=look.colours, locale="en-US", reduced_motion="reduce"
        )
        for look in LOOKS
    }
    yield opened
    for context in opened.values():
        context.close()


@pytest.fixture(scope="module")
def linked() -> set[str]:
    """Paths that the pages which were looked at link to."""
    return set()


def look_at(context: Any, origin: str, path: str, page: Page, look: Look) -> tuple[list[str], set[str]]:
    """What is wrong with a page, and the paths that it links to."""
    tab = context.new_page()
    wrong: list[str] = []
    # That a page is not there is the one thing that the browser itself says of a page that says so.
    expected = re.compile(f"status of {page.status} ") if page.status != 200 else None
    tab.on("console", lambda said: said.type in ("error", "warning") and wrong.append(f"{said.type}: {said.text}"))
    tab.on("pageerror", lambda error: wrong.append(f"exception: {error}"))
    tab.on("request", lambda sent: sent.url.startswith((f"{origin}/", "data:")) or wrong.append(f"asked elsewhere: {sent.url}"))
    answer = tab.goto(origin + path)
    assert answer.status == page.status

    policy = answer.headers.get("content-security-policy", "")
    if "default-src 'none'" not in policy or "unsafe" in policy:
        wrong.append(f"policy: {policy}")
    links = measure(tab, look, wrong)
    tab.close()
    return [one for one in wrong if not (expected and expected.search(one))], links


def measure(tab: Any, look: Look, wrong: list[str]) -> set[str]:
    """Adds to `wrong` what is wrong with the page that a tab shows; the paths that it links to."""
    measured = tab.evaluate(MEASURED)
    if measured["shift"] >= MOST_SHIFT:
        wrong.append(f"it jumps: {measured['shift']:.3f}")
    if measured["bytes"] >= MOST_BYTES:
        wrong.append(f"{measured['bytes']:,} bytes")
    if measured["over"] > 0:
        wrong.append(f"{measured['over']} px too wide: " + "; ".join(measured["widest"]))
    # Bytes have sixteen in a line, and a table of packets the columns that somebody chose; nothing else is off to the side.
    wrong += [f"it scrolls sideways: {one}" for one in measured["sideways"]]
    tab.evaluate(axe())
    wrong += tab.evaluate(VIOLATIONS, look.rules)
    wrong += [f"opened: {one}" for one in tab.evaluate(OPENED)]
    return {urlsplit(link).path for link in measured["links"] if link.startswith("/")}


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("page", [*PAGES, *MORE_PAGES], ids=lambda page: page.name)
def test_page(server, shown: Shown, contexts, linked, page: Page, look: Look):
    wrong, links = look_at(contexts[look.name], f"http://localhost:{server.port}", shown.path(page), page, look)
    linked.update(links)
    assert wrong == [], "\n".join(wrong)


def test_no_page_is_forgotten(shown: Shown, linked):
    """What pages link to is a page above, or none."""
    assert linked, "the pages are looked at first"
    looked_at = {resolve(urlsplit(shown.path(page)).path).url_name for page in (*PAGES, *MORE_PAGES) if page.status != 404}
    looked_at |= {name for names in NO_PAGES.values() for name in names} | {"index"}  # Django's own admin
    forgotten = {}
    for path in linked:
        try:
            name = resolve(path).url_name
        except Resolver404:
            name = f"nothing at {path}"
        if name not in looked_at:
            forgotten[name] = path
    assert forgotten == {}
