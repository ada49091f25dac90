"""`script/reliability`: one fault after the other under load, and load that is held; what people saw of it.

Prints a line for each fault; 1 where an answer was wrong or a packet lost. Writes docs/reliability.md, unless told not to.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import captures
from benchmarks.faults.disk import Disk
from benchmarks.faults.pilosa import Pilosa
from benchmarks.faults.running import Running
from benchmarks.live.private import end_in_order
from benchmarks.reliability import section
from benchmarks.reliability.campaign import AROUND_SECONDS, Campaign
from benchmarks.reliability.clock import Clock
from benchmarks.reliability.faults import FAULTS, Fault
from benchmarks.reliability.hold import hold

DISK_BYTES = 3 << 30
# Packets of the captures that are made: the first is asked about, the others are uploaded again and again.
SIZES = (20_000, 500, 3_000, 6_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/reliability", description=__doc__)
    parser.add_argument("--backend", choices=("embedded", "pilosa"), default="embedded")
    parser.add_argument("--uploaders", type=int, default=8)
    parser.add_argument("--queriers", type=int, default=16)
    parser.add_argument("--only", action="append", help="only the faults whose description has this in it; repeatable")
    parser.add_argument(
        "--around", type=float, default=AROUND_SECONDS, metavar="SECONDS", help="of load before a fault and after it"
    )
    parser.add_argument("--hold", type=float, metavar="SECONDS", help="no fault: hold the load for so long")
    parser.add_argument("--capture", type=Path, action="append", help="instead of those that are made; twice or more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-page", action="store_true", help="leave docs/reliability.md as it is")
    args = parser.parse_args()
    end_in_order()
    people = (args.uploaders, args.queriers)
    command = " ".join(["script/reliability", *sys.argv[1:]])
    with tempfile.TemporaryDirectory() as name, Disk(Path(name) / "disk", DISK_BYTES) as disk:
        folder = Path(name)
        pilosa = Pilosa(folder / "pilosa") if args.backend == "pilosa" else None
        chosen = [(path, captures.packets_of(path)) for path in args.capture or [captures.made(folder, size) for size in SIZES]]
        clock = _clock(folder) if args.hold is None else None
        running = Running(disk, pilosa, clock)
        try:
            with running:
                campaign = Campaign(running, chosen, *people, args.seed, _say, args.around)
                if args.hold is not None:
                    held = hold(running, campaign.job, campaign.uploads, args.hold, people, _say)
                    print(section.held(held, people, command))
                    if not args.no_page:
                        section.write("hold", section.held(held, people, command))
                    return 1 if held.wrong else 0
                faults = [one for one in FAULTS if _possible(one, disk, pilosa, clock)]
                faults = [one for one in faults if any(words in one.words for words in args.only or [""])]
                seen = list(campaign.run(faults))
        except BaseException:
            for line in running.lines + running.up.lines:
                _say(f"up: {line}")
            raise
    if wrong := [one.words for one in seen if one.wrong]:
        for line in running.lines[-200:]:
            _say(f"up: {line}")
    print(f"{len(seen) - len(wrong)} of {len(seen)} faults without a wrong answer and without a lost or doubled packet")
    if not args.no_page and not args.only:
        section.write(f"faults-{args.backend}", section.faults(seen, args.backend, people, command))
    return 1 if wrong or not seen else 0


def _clock(folder: Path) -> Clock | None:
    try:
        return Clock(folder / "clock")
    except FileNotFoundError as error:
        _say(f"no jump of the clock: {error}")
        return None


def _possible(fault: Fault, disk: Disk, pilosa: Pilosa | None, clock: Clock | None) -> bool:
    there = {"": True, "disk": disk.can_be_full, "pilosa": pilosa is not None, "clock": clock is not None}
    return there[fault.needs]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
