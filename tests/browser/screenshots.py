"""Pictures of every page, of a picapweb that is started for them: ``script/screenshots``.

The office of two days is indexed, times that jobs and alerts got from the clock are set to one and the same, and each page is
taken in four looks as NAME-wide-light.webp and so on. A picture that shows what the one in the folder shows is not written again.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import server as servers
from tests.browser.chromium import ARGUMENTS, chromium
from tests.browser.every_page import PAGES, Page, fill
from tests.browser.people_pages import ADMIN, MODE, PEOPLE_PAGES, STILL_PEOPLE, VIEWER, run_code, sign_in, with_people
from tests.server import ROOT, Server, clean_environment

FOLDER = ROOT / "docs" / "screenshots"
LOOKS = [
    (name, width, height, colours)
    for name, width, height in (("wide", 1280, 760), ("narrow", 360, 700))
    for colours in ("light", "dark")
]
QUALITY = 45
EMPTY = Page("empty", "/")  # the first page of a picapweb without captures
EVERY = (*PAGES, *PEOPLE_PAGES)
# The clock's times would differ each time.
STILL = """
from datetime import datetime, timedelta, timezone
from capture.models import Job
from proxy.models import Alert, StandingQuery
then = datetime(2026, 3, 3, 8, tzinfo=timezone.utc)
Job.objects.update(created=then, started=then + timedelta(seconds=1), finished=then + timedelta(seconds=2))
Alert.objects.update(raised=then + timedelta(seconds=2))
StandingQuery.objects.filter(raised__isnull=False).update(raised=then + timedelta(seconds=2))
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/screenshots", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("names", nargs="*", help="pages to take, by name (default: all): " + ", ".join(one.name for one in EVERY))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where pictures are written (default: docs/screenshots)")
    parser.add_argument("--port", type=int, default=11000, help="of the picapweb that is started; pages show it (default: 11000)")
    parser.add_argument("--look", action="append", choices=[f"{one[0]}-{one[3]}" for one in LOOKS], help="only this look")
    parser.add_argument("--png", action="store_true", help="as PNG, which takes five times the space")
    given = parser.parse_args()
    if unknown := set(given.names) - {one.name for one in EVERY}:
        parser.error(f"there is no page {', '.join(sorted(unknown))}")
    given.folder.mkdir(parents=True, exist_ok=True)
    servers.PATIENCE = 600.0  # a picture can wait for a busy machine
    for pages, fill_and_take, mode in ((PAGES, take, {}), (PEOPLE_PAGES, take_people, MODE)):
        wanted = [one for one in pages if not given.names or one.name in given.names]
        if not wanted:
            continue
        data = Path(tempfile.mkdtemp(prefix="picapweb-screenshots-"))
        try:
            with Server(data, port=given.port, **mode) as server, browser() as opened:
                fill_and_take(server, opened, data, wanted, given)
        finally:
            shutil.rmtree(data, ignore_errors=True)
    if given.folder == FOLDER:
        (FOLDER / "README.md").write_text(gallery())


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Scroll bars belong to the picture.
        yield playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS, ignore_default_args=["--hide-scrollbars"])


def take(server: Server, opened: Any, data: Path, wanted: list[Page], given: argparse.Namespace) -> None:
    """Pages of local mode in all looks. The first page of an empty picapweb comes before anything is indexed."""
    if not given.names:
        looks(opened, server, [(EMPTY, EMPTY.path)], given)
    shown = fill(server, data)
    environment = clean_environment(PICAPWEB_DATA=str(data))
    subprocess.run([sys.executable, "manage.py", "shell", "-v", "0", "-c", STILL], cwd=ROOT, env=environment, check=True)
    looks(opened, server, [(page, shown.path(page)) for page in wanted], given)


def take_people(server: Server, opened: Any, data: Path, wanted: list[Page], given: argparse.Namespace) -> None:
    """Pages of server mode in all looks, as whom each is for."""
    with_people(server, data)
    cookies = {}
    for who in (ADMIN, VIEWER):  # both, whatever is wanted: the log has it
        context = opened.new_context()
        sign_in(context.new_page(), f"http://localhost:{server.port}", who)
        cookies[who] = context.cookies()
        context.close()
    run_code(server, STILL_PEOPLE)
    for who in cookies:
        looks(opened, server, [(page, page.path) for page in wanted if page.who == who], given, cookies[who])


def gallery() -> str:
    """All pictures on one page."""
    lines = [
        "# Every page",
        "",
        "Taken by `script/screenshots`, of a capture that it makes itself. Wide, and as on a telephone; light, and dark.",
    ]
    for page in (EMPTY, *EVERY):
        lines += ["", f"## {page.name}", "", f"`{page.path.split('?')[0]}`", ""]
        lines += [f"![{page.name}, {name}, {colours}]({page.name}-{name}-{colours}.webp)" for name, _, _, colours in LOOKS]
    return "\n".join(lines) + "\n"


def looks(
    opened: Any, server: Server, pages: list[tuple[Page, str]], given: argparse.Namespace, cookies: list[Any] | None = None
) -> None:
    """cookies: of who has signed in."""
    for name, width, height, colours in LOOKS:
        if given.look and f"{name}-{colours}" not in given.look:
            continue
        context = opened.new_context(
            viewport={"width": width, "height": height},
            color_scheme=colours,
            locale="en-US",
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        context.add_cookies(cookies or [])
        tab = context.new_page()
        session = context.new_cdp_session(tab)
        for page, path in pages:
            tab.goto(f"http://localhost:{server.port}{path}")
            kind = {"format": "png"} if given.png else {"format": "webp", "quality": QUALITY}
            picture = picture_of(tab, session, kind)
            place = given.folder / f"{page.name}-{name}-{colours}.{kind['format']}"
            if not place.exists() or place.read_bytes() != picture:
                place.write_bytes(picture)
                print(
                    f"{place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place}  {len(picture):,}",
                    flush=True,
                )
        context.close()


def picture_of(tab: Any, session: Any, kind: dict[str, Any]) -> bytes:
    """What a tab shows. On a busy machine Chromium is sometimes "unable to capture": it is asked again."""
    from playwright.sync_api import Error

    for left in range(9, -1, -1):
        try:
            return base64.b64decode(session.send("Page.captureScreenshot", kind)["data"])
        except Error:
            if not left:
                raise
            tab.wait_for_timeout(500)
    raise AssertionError  # not reached


if __name__ == "__main__":
    main()
