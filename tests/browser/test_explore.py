"""In a real Chromium: the explore page completes, keeps chips, asks by a key on a value, and changes in place."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.browser.captures import AGENT

pytestmark = pytest.mark.needs("Chromium")

WATCH = """
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
    }).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def page(browser, server, shown):
    context = browser.new_context(base_url=f"http://localhost:{server.port}", locale="en-US")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.add_init_script(WATCH)
    yield opened
    assert complaints == []
    context.close()


def asked(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def count(page) -> str:
    return page.locator("#sentence").inner_text()


def test_a_query_is_completed_and_taken_apart_by_keyboard(page):
    page.goto("/explore/")
    page.evaluate("window.stillHere = true")
    before = count(page)
    page.keyboard.press("/")
    field = page.locator("#q")
    page.keyboard.insert_text("http.user_a")  # at once: no list of fewer letters comes first
    option = page.locator("#completions [role=option]")
    option.first.wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == option.first.get_attribute("id")
    page.keyboard.press("Enter")
    assert field.input_value() == "http.user_agent "
    option.filter(has_text="contains").wait_for()  # operators follow at once
    page.keyboard.insert_text("== inv")
    option.filter(has_text=AGENT).wait_for()
    page.keyboard.press("Tab")  # takes the first
    assert field.input_value() == f'http.user_agent == "{AGENT}" '
    page.keyboard.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("user_agent"))
    assert count(page).startswith("2 of ")
    # The value of a cell, by a key
    page.locator('table.packets [data-field="netsrc"]').first.focus()
    page.keyboard.press("x")
    page.wait_for_url(re.compile("netsrc"))
    chips = page.locator(".chips .chip")
    assert chips.count() == 2
    assert chips.nth(1).locator("b").inner_text() == "not"
    # A chip is set aside and put back
    chips.nth(1).locator(".part").press("Enter")
    page.wait_for_url(re.compile("off=1"))
    assert count(page).startswith("2 of ")
    page.go_back()
    page.wait_for_url(lambda url: "off=" not in url)
    page.locator(".chip.not:not(.off)").wait_for()
    chips.nth(1).locator(".gone").press("Enter")
    page.wait_for_url(lambda url: "netsrc" not in url)
    chips.first.locator(".gone").press("Enter")
    page.wait_for_url(lambda url: "q=" not in url)
    assert count(page) == before
    assert page.evaluate("window.stillHere")  # nothing was loaded anew
    assert page.evaluate("window.shift") < 0.05


def test_a_list_that_is_on_its_way_is_not_wanted(page):
    page.goto("/explore/")
    held = []
    page.route("**/complete/**", lambda route: held.append(route))
    page.keyboard.press("/")
    with page.expect_request("**/complete/**"):
        page.keyboard.type("tcp")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=tcp"))
    page.keyboard.press("Escape")  # nothing is on its way: out of the query
    assert page.evaluate("document.activeElement.id") != "q"
    page.unroute("**/complete/**")
    assert page.locator("#completions").is_hidden()


def test_who_types_on_and_takes_at_once_gets_no_leftovers(page):
    from playwright.sync_api import expect

    page.goto("/explore/")
    page.keyboard.press("/")
    page.keyboard.insert_text("http.us")
    page.locator("#completions [role=option]").filter(has_text="http.user_agent").wait_for()
    # In one task: the list is still that of the text before
    page.evaluate("""
        document.execCommand("insertText", false, "er_a");
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Tab", bubbles: true, cancelable: true}));
    """)
    expect(page.locator("#q")).to_have_value("http.user_agent ", timeout=30_000)


def test_a_menu_on_a_value_and_a_range_in_the_chart(page):
    page.goto("/explore/?q=tcp&columns=netsrc,length")
    value = page.locator('aside [data-field="netsrc"]').first
    address = value.get_attribute("data-value")
    value.click(button="right")
    menu = page.locator(".value-menu")
    assert menu.locator("[role=menuitem]").all_inner_texts()[0].startswith("and")
    page.keyboard.press("Escape")
    assert menu.count() == 0
    value.focus()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # and not
    page.wait_for_url(re.compile("%21"))
    assert asked(page) == {"q": [f"tcp && !(netsrc == {address})"], "columns": ["netsrc,length"]}
    assert menu.count() == 0
    chart = page.locator("svg.chart")
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 25, steps=3)
    page.mouse.up()
    page.wait_for_url(re.compile("from="))
    begin, end = asked(page)["from"][0], asked(page)["to"][0]
    assert begin < end
    page.get_by_role("link", name="Zoom out").click()
    page.wait_for_url(lambda url: begin not in unquote(url))
    page.locator("select[name=by]").select_option("dns-qname")
    page.wait_for_url(re.compile("by=dns-qname"))
    assert page.locator("ul.series li").count() > 0
