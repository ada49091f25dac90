"""`script/faults`: kills parts of the real thing at random moments, and compares the index with an undisturbed one.

Prints a line for each round; 1 where one went wrong. Writes a section of docs/performance.md, unless told not to.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import captures, page
from benchmarks.faults import ours
from benchmarks.faults.campaign import Campaign, Round
from benchmarks.faults.disk import Disk
from benchmarks.faults.kinds import plan
from benchmarks.faults.pilosa import Pilosa
from benchmarks.faults.running import Running
from benchmarks.faults.section import section
from benchmarks.live.private import end_in_order

DISK_BYTES = 1 << 30
SMALL = (
    "protocols/pcapparser__wireshark_samples-test.pcapng",
    "protocols/nfstream__no_sni.pcap",
    "protocols/zeek__http__bro.org.pcap",
    "protocols/nfstream__dns_exfiltration.pcap",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, help="only this round of the plan, to repeat what went wrong")
    parser.add_argument("--first", type=int, default=1, help="begin with this round, to go on with one that was broken off")
    parser.add_argument("--backend", choices=("embedded", "pilosa"), default="embedded")
    parser.add_argument("--packets", type=int, default=20_000, help="of the capture that is made")
    parser.add_argument("--batch", type=int, default=2_000, help="packets of a batch")
    parser.add_argument("--capture", type=Path, action="append", help="instead of those that are made and found; twice or more")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no round after so long")
    parser.add_argument("--no-page", action="store_true", help="leave docs/performance.md as it is")
    args = parser.parse_args()
    end_in_order()
    with tempfile.TemporaryDirectory() as name, Disk(Path(name) / "disk", DISK_BYTES) as disk:
        folder = Path(name)
        pilosa = Pilosa(folder / "pilosa") if args.backend == "pilosa" else None
        if not disk.can_be_full:
            _say("no disk full: that needs root, and a machine that lets it mount a tmpfs")
        found, began = list[Round](), time.monotonic()
        try:
            chosen = args.capture or _captures(folder, args.packets)
            running = Running(disk, pilosa)
            ours.set_up(running.data, running.settings)
            with running:
                campaign = Campaign(running, chosen, args.seed, _say, args.batch)
                planned = plan(args.seed, args.kills, disk.can_be_full, pilosa is not None)
                for one in campaign.run(planned, args.first, args.round):
                    found.append(one)
                    if time.monotonic() - began > args.seconds:
                        break
        except BaseException:
            for line in running.lines + running.up.lines:
                _say(f"up: {line}")
            raise
        seconds = time.monotonic() - began
    if any(one.wrong for one in found):
        for line in running.lines:
            _say(f"up: {line}")
    faults = [fault for one in found for fault in one.faults]
    right = sum(fault.right for fault in faults)
    print(f"{right} of {len(faults)} faults left the index as an undisturbed run makes it; {seconds:.0f} s, seed {args.seed}")
    if not args.no_page and args.round is None and args.first == 1:
        name = "faults" if args.backend == "embedded" else "faults-pilosa"
        page.write(name, section(campaign, found, args.backend, seconds))
    return 0 if found and right == len(faults) and not any(one.wrong for one in found) else 1


def _captures(folder: Path, packets: int) -> list[Path]:
    """A made capture, and small ones of ../shared/pcaps."""
    return [captures.made(folder, packets), *(captures.SHARED / "pcaps" / name for name in SMALL)]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
