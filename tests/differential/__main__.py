"""The whole campaign: script/fuzz-queries [--queries N] [--mutated N] [--seed N] [--backend embedded|pilosa] [--judge]"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.components import SHARED
from tests.differential.campaign import Campaign, Failure, Report
from tests.pilosa import start_pilosa
from tests.product_servers import Peer
from tests.server import Server


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/fuzz-queries", description=__doc__)
    parser.add_argument("--queries", type=int, default=100_000, help="valid queries (default 100000)")
    parser.add_argument("--mutated", type=int, default=20_000, help="queries after a few edits (default 20000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", choices=["embedded", "pilosa"], default="embedded", help="the product's")
    parser.add_argument("--judge", action="store_true", help="no product: Pilosa against the naive engine")
    parser.add_argument("--most", type=int, default=20, help="end after so many failures (default 20)")
    options = parser.parse_args()
    began = time.monotonic()

    shown: list[Failure] = []

    def show(report: Report) -> None:
        """Each failure as soon as it is known: a campaign takes hours, and may be broken off."""
        for failure in report.failures[len(shown) :]:
            print(failure, flush=True)
            shown.append(failure)

    def progress(report: Report) -> None:
        show(report)
        print(
            f"{time.monotonic() - began:7.0f} s  {report.asked} asked, {len(report.failures)} failures",
            file=sys.stderr,
            flush=True,
        )
        if len(report.failures) >= options.most:
            raise TooMany

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz-queries-")))
        pilosa = [start_pilosa(folder / "pilosa")]
        stack.callback(lambda: pilosa[0].stop())
        peer = Peer("plain", pilosa[0].port)

        def revive() -> None:
            pilosa[0].stop()
            pilosa[0] = start_pilosa(folder / "pilosa", peer.port)

        product = None
        if not options.judge:
            environment = {}
            if options.backend == "pilosa":
                behind = start_pilosa(folder / "behind")
                stack.callback(behind.stop)
                environment["INDEX_URL"] = behind.url
            server = stack.enter_context(Server(folder / "data", **environment))
            product = Peer(options.backend, server.port, server)
        campaign = Campaign(peer, product, SHARED, revive)
        campaign.load()
        try:
            campaign.run(options.seed, options.queries, options.mutated, progress)
        except TooMany:
            print(f"ended early, after {options.most} failures")
    report = campaign.report
    show(report)
    print(
        f"seed {options.seed}: {report.asked} asked, {report.same} answered alike, {report.refused} refused by both, "
        f"{report.alone} not asked of Pilosa"
    )
    for rule, number in report.documented.most_common():
        print(f"{number:8} {rule}")
    print(f"{len(report.failures)} differences that are not documented, {time.monotonic() - began:.0f} s")
    return 1 if report.failures else 0


class TooMany(Exception):
    """It makes no sense to go on."""


if __name__ == "__main__":
    sys.exit(main())
