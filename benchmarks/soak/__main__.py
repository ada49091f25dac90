"""`script/soak`: the whole product captures live for a long time, with a ring that turns. Prints verdicts; 1 where one fails.

Writes the section `soak` of docs/performance.md, unless told not to.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import captures, page
from benchmarks.live import private
from benchmarks.live.wire import Wire
from benchmarks.soak.run import soak
from benchmarks.soak.section import section
from benchmarks.soak.verdicts import Ring

INSIDE = "--inside"


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=5000.0, help="packets a second")
    parser.add_argument("--files", type=int, default=8, help="of the ring")
    parser.add_argument("--ring-bytes", type=int, default=8 << 20, help="of a file of the ring")
    parser.add_argument("--capture", type=Path, help="pcap file that is sent; made from ../shared/bench if not given")
    parser.add_argument("--packets", type=int, default=200_000, help="of the capture that is made")
    parser.add_argument("--folder", type=Path, help="for the data folder; a temporary one if not given")
    parser.add_argument("--no-page", action="store_true", help="leave docs/performance.md as it is")
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.inside:
        if lacks := private.missing():
            parser.error("; ".join(lacks))
        command = private.command(sys.executable, "-m", "benchmarks.soak", INSIDE, *sys.argv[1:])
        os.execvp(command[0], command)
    private.end_in_order()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        capture = args.capture or captures.made(folder, args.packets)
        with Wire(capture) as wire:
            found = soak(wire, folder, args.minutes * 60, args.rate, Ring(args.files, args.ring_bytes), _say)
            if not args.no_page:
                page.write("soak", section(found, wire))
    for line in found.lines:
        _say(f"up: {line}")
    for verdict in found.verdicts:
        print(f"{'ok  ' if verdict.right else 'FAIL'} {verdict.words}", flush=True)
    return 0 if found.right else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
