"""In a real Chromium, the pages of server mode, as somebody who has signed in: looked at as all pages are, in light and dark,
wide and narrow; and what their forms answer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.every_page import Page
from tests.browser.people_pages import ADMIN, MODE, PASSWORD, PEOPLE_PAGES, VIEWER, sign_in, with_people
from tests.browser.test_every_page import RULES, RULES_OF_LOOK, Look, look_at, measure
from tests.long import LONG
from tests.server import Server

pytestmark = pytest.mark.needs("Chromium")

LOOKS = (
    Look("wide-light", 1280, "light", RULES),
    Look("narrow-dark", 360, "dark", RULES_OF_LOOK),
)
if LONG:
    LOOKS += (Look("wide-dark", 1280, "dark", RULES_OF_LOOK), Look("narrow-light", 360, "light", RULES_OF_LOOK))
Open = Callable[[str, Look], Any]


@pytest.fixture(scope="module")
def people() -> Iterator[Server]:
    """A server in server mode, with people."""
    data = Path(tempfile.mkdtemp(prefix="picapweb-people-"))
    try:
        with Server(data, **MODE) as running:
            with_people(running, data)
            yield running
    finally:
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="module")
def context_of(browser, people: Server) -> Iterator[Open]:
    """A context of somebody in a look, signed in (who: empty: nobody). Each is made once."""
    opened: dict[tuple[str, str], Any] = {}

    def one(who: str, look: Look) -> Any:
        if (who, look.name) not in opened:
            context = browser.new_context(
                viewport={"width": look.width, "height": 800}, color_scheme=look.colours, locale="en-US", reduced_motion="reduce"
            )
            opened[who, look.name] = context
            if who:
                tab = context.new_page()
                sign_in(tab, f"http://localhost:{people.port}", who)
                tab.close()
        return opened[who, look.name]

    yield one
    for context in opened.values():
        context.close()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("page", PEOPLE_PAGES, ids=lambda page: page.name)
def test_page(people: Server, context_of: Open, page: Page, look: Look):
    wrong, links = look_at(context_of(page.who, look), f"http://localhost:{people.port}", page.path, page, look)
    assert links
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_what_forms_answer(people: Server, context_of: Open, look: Look):
    origin = f"http://localhost:{people.port}"
    wrong: list[str] = []
    tab = context_of(ADMIN, look).new_page()

    def look_again(what: str) -> None:
        found: list[str] = []
        tab.wait_for_load_state()
        measure(tab, look, found)
        wrong.extend(f"{what}: {one}" for one in found)

    tab.goto(f"{origin}/account/")
    tab.fill("[name=name]", f"of {look.name}")
    tab.click("text=Make token")
    made = tab.locator(".wait code").inner_text()
    assert made in tab.locator(".wait pre").inner_text()
    look_again("a token")
    tab.fill("[name=days]", "soon")
    tab.fill("[name=name]", "a name")
    tab.click("text=Make token")
    tab.locator("[role=alert]").wait_for()
    look_again("no token")
    tab.fill("[name=old]", "not it")
    tab.fill("[name=new]", PASSWORD)
    tab.click("text=Change password")
    tab.locator("[role=alert]", has_text="present password").wait_for()  # there was one before
    look_again("no password")
    tab.goto(f"{origin}/people/")
    tab.fill("form[method=post] [name=name]", f"emil-{look.name}")
    tab.click("text=Make person")
    assert len(tab.locator(".wait code").inner_text()) >= 12
    look_again("a person")
    tab.fill("form[method=post] [name=name]", f"emil-{look.name}")
    tab.click("text=Make person")
    assert "already" in tab.locator("[role=alert]").inner_text()
    look_again("no person")
    tab.close()

    tab = context_of("", look).new_page()
    tab.goto(f"{origin}/account/")
    assert "/sign-in/?next=" in tab.url
    assert not tab.locator("[role=alert]").count()
    tab.fill("input[name=username]", f"nobody-{look.name}")
    tab.fill("input[name=password]", "wrong")
    tab.click("button.go")
    assert "not known" in tab.locator("[role=alert]").inner_text()
    look_again("not signed in")
    tab.close()
    assert wrong == [], "\n".join(wrong)


def test_a_viewer_is_shown_what_they_may(people: Server, context_of: Open):
    tab = context_of(VIEWER, LOOKS[0]).new_page()
    tab.goto(f"http://localhost:{people.port}/jobs/")
    head = tab.locator("header.site").inner_text()
    assert VIEWER in head and "Status" not in head and "New job" not in head
    tab.close()
