"""In a real Chromium, the pages of Django's admin: nothing complains, nothing is fetched from elsewhere, axe-core finds nothing
(static/picapweb/admin.css mends what it found of Django's own)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.every_page import ADMIN_PAGES, KEEPER, Page, Shown, with_keeper
from tests.browser.test_every_page import LOOKS, VIOLATIONS, Look, axe

pytestmark = pytest.mark.needs("Chromium")


@pytest.fixture(scope="module")
def contexts(browser, server, shown: Shown) -> Iterator[dict[str, Any]]:
    """A context a look, signed in."""
    opened: dict[str, Any] = {"numbers": with_keeper(server)}
    for look in LOOKS:
        context = browser.new_context(
            viewport={"width": look.width, "height": 800}, color_scheme=look.colours, locale="en-US", reduced_motion="reduce"
        )
        tab = context.new_page()
        tab.goto(f"http://localhost:{server.port}/admin/login/?next=/admin/")
        tab.fill("input[name=username]", KEEPER[0])
        tab.fill("input[name=password]", KEEPER[1])
        tab.click("[type=submit]")
        tab.wait_for_url(f"http://localhost:{server.port}/admin/")  # no pattern: it would match where one comes from, too
        tab.close()
        opened[look.name] = context
    yield opened
    for look in LOOKS:
        opened[look.name].close()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("page", ADMIN_PAGES, ids=lambda page: page.name)
def test_admin_page(server, shown: Shown, contexts, page: Page, look: Look):
    origin = f"http://localhost:{server.port}"
    tab = contexts[look.name].new_page()
    wrong: list[str] = []
    tab.on("console", lambda said: said.type in ("error", "warning") and wrong.append(f"{said.type}: {said.text}"))
    tab.on("pageerror", lambda error: wrong.append(f"exception: {error}"))
    tab.on("request", lambda sent: sent.url.startswith((f"{origin}/", "data:")) or wrong.append(f"asked elsewhere: {sent.url}"))
    answer = tab.goto(origin + shown.path(page, **contexts["numbers"]))
    assert answer.status == page.status
    assert "unsafe" not in answer.headers.get("content-security-policy", "unsafe")
    tab.wait_for_load_state("networkidle")
    said = list(wrong)  # and not what axe-core causes: it reads the style sheets again, and loses its way in Django's @import
    tab.evaluate(axe())
    said += tab.evaluate(VIOLATIONS, look.rules)
    tab.close()
    assert said == [], "\n".join(said)
