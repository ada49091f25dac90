"""`python -m benchmarks.live SECTION`: one section, inside of a network namespace of its own (see benchmarks.live.private)."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import page
from benchmarks.live import latency, private, programs, rate, sections
from benchmarks.live.latency import Case
from benchmarks.live.wire import Wire

RATE, LATENCY = "live-rate", "live-latency"
SECTIONS = (RATE, LATENCY)
RATES = (1_000, 10_000, 50_000, 100_000)
FIELDS = ("all", "picap")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of both sections; script/benchmark has them, too."""
    parser.add_argument("--live-rounds", type=int, default=3, help="of live-rate")
    parser.add_argument("--live-seconds", type=float, default=5, help="of one rate of live-rate")
    parser.add_argument("--latency-seconds", type=float, default=25, help="of one rate of live-latency")
    parser.add_argument("--latency-rates", type=int, nargs="+", default=RATES, metavar="PPS", help="of live-latency")
    parser.add_argument("--latency-fields", nargs="+", default=FIELDS, choices=FIELDS, help="of live-latency")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("section", choices=SECTIONS)
    parser.add_argument("--capture", type=Path, required=True)
    parser.add_argument("--folder", type=Path)
    arguments(parser)
    args = parser.parse_args()
    private.end_in_order()
    with tempfile.TemporaryDirectory(dir=args.folder) as name, Wire(args.capture) as wire:
        body = _rate if args.section == RATE else _latency
        page.write(args.section, body(args, wire, Path(name), _say))
    return 0


def _rate(args: argparse.Namespace, wire: Wire, folder: Path, say: Callable[[str], None]) -> str:
    found, missing = programs.programs()
    results = rate.measured(found, wire, folder, args.live_rounds, args.live_seconds, say)
    return sections.rate(results, missing, wire, args.live_rounds, args.live_seconds)


def _latency(args: argparse.Namespace, wire: Wire, folder: Path, say: Callable[[str], None]) -> str:
    cases = [Case(pps, fields) for fields in args.latency_fields for pps in args.latency_rates]
    found = [latency.measured(case, wire, folder, args.latency_seconds, say) for case in cases]
    return sections.latency(found, wire, args.latency_seconds)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
