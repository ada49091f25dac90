"""`script/benchmark [SECTION...]`: measures, and writes sections of docs/performance.md; all if none is named."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import captures, page, sections
from benchmarks.analysis import section as analysis
from benchmarks.export import section as export
from benchmarks.ingest import growth, scaling, small
from benchmarks.ingest import section as ingest
from benchmarks.live import __main__ as live
from benchmarks.live import private
from benchmarks.query import section as query
from benchmarks.tcp_analysis import section as tcp_analysis

SECTIONS = ("speed", "memory", "compiling", "ingest", "small", "query", "analysis", "export", "tcp-analysis", *live.SECTIONS)
ON_DEMAND = ("growth",)  # it needs 45 GB of disk


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/benchmark", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join((*SECTIONS, *ON_DEMAND)))
    parser.add_argument("--capture", type=Path, help="pcap file for speed and live; made from ../shared/bench if not given")
    parser.add_argument("--large", type=Path, help="pcap file for memory, ingest and growth; made if not given")
    parser.add_argument("--parseonly", type=Path, help="picap's decoding alone, built; built here if not given and there is Go")
    parser.add_argument("--packets", type=int, default=1_000_000, help="of the capture that is made for them")
    parser.add_argument("--large-packets", type=int, default=10_000_000, help="of the capture that is made for memory")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="for captures that are made; a temporary one if not given")
    parser.add_argument("--anchors", type=Path, help="ingest: folder with picap, built; built here if not given and there is Go")
    parser.add_argument("--growth-packets", type=int, default=50_000_000, help="of the capture that is made for growth")
    parser.add_argument("--small-jobs", type=int, default=1_000, help="small: how many captures")
    parser.add_argument(
        "--ingest-large", action=argparse.BooleanOptionalAction, default=True, help="ingest: the large capture, too"
    )
    parser.add_argument("--query-large", action="store_true", help="query: the large capture, too")
    parser.add_argument("--analysis-packets", type=int, default=10_000_000, help="of the capture that is made for analysis")
    live.arguments(parser)
    args = parser.parse_args()
    if unknown := set(args.sections) - {*SECTIONS, *ON_DEMAND}:
        parser.error(f"no such section: {', '.join(sorted(unknown))} (there are: {', '.join((*SECTIONS, *ON_DEMAND))})")
    wanted = args.sections or SECTIONS
    if set(wanted) & set(live.SECTIONS) and (lacks := private.missing()):
        words = f"live sections cannot be measured here: {'; '.join(lacks)}"
        if args.sections:
            parser.error(words)
        _say(words)
        wanted = tuple(name for name in SECTIONS if name not in live.SECTIONS)
    with tempfile.TemporaryDirectory(dir=args.folder) as made:
        folder = Path(made)
        if "compiling" in wanted:
            page.write("compiling", sections.compiling(_say))
        if "memory" in wanted:
            large = args.large or _made(folder, args.large_packets)
            page.write("memory", sections.peak_memory(large, _say))
            if args.large is None:
                large.unlink()
        capture = None
        for name in (name for name in live.SECTIONS if name in wanted):
            capture = capture or args.capture or _made(folder, args.packets)
            _live(name, capture, folder, args)
        if "ingest" in wanted:
            capture = capture or args.capture or _made(folder, args.packets)
            files = [(capture, captures.packets_of(capture))]
            if args.ingest_large:
                large = args.large or _made(folder, args.large_packets)
                files.append((large, captures.packets_of(large)))
            head = captures.head(capture, ingest.WARM_UP, folder)
            text, costs = ingest.measured(files, head, folder, args.rounds, args.anchors, _say)
            page.write("ingest", text)
            page.write("measured", scaling.measured_table(costs), scaling.PAGE)
            page.write("reckoned", scaling.reckoned_table(costs), scaling.PAGE)
        if "small" in wanted:
            capture = capture or args.capture or _made(folder, args.packets)
            page.write("small", small.section(capture, folder, args.small_jobs, _say))
        if "query" in wanted:
            capture = capture or args.capture or _made(folder, args.packets)
            asked = [(capture, captures.packets_of(capture))]
            if args.query_large:
                large = args.large if args.large and args.large.exists() else _made(folder, args.large_packets)
                asked.append((large, captures.packets_of(large)))
            page.write("query", query.measured(asked, folder, _say))
        if "export" in wanted:
            capture = capture or args.capture or _made(folder, args.packets)
            page.write("export", export.measured(capture, captures.packets_of(capture), folder, args.rounds, _say))
        if "analysis" in wanted:
            large = args.large if args.large and args.large.exists() else _made(folder, args.analysis_packets)
            page.write("analysis", analysis.measured(large, captures.packets_of(large), folder, _say))
        if "growth" in wanted:
            page.write("growth", growth.section(args.large or _made(folder, args.growth_packets), folder, _say))
        # last: these two pin this process to one core
        if "tcp-analysis" in wanted:
            capture = capture or args.capture or _made(folder, args.packets)
            page.write("tcp-analysis", tcp_analysis.measured(capture, folder, args.rounds, _say))
        if "speed" in wanted:
            capture = capture or args.capture or _made(folder, args.packets)
            page.write("speed", sections.speed(capture, folder, args.rounds, args.parseonly, _say))
    _say(f"{page.PAGE} written")
    return 0


def _live(section: str, capture: Path, folder: Path, args: argparse.Namespace) -> None:
    """A live section is measured by a process in a network namespace of its own."""
    options = [f"--live-rounds={args.live_rounds}", f"--live-seconds={args.live_seconds}"]
    options += [f"--latency-seconds={args.latency_seconds}", f"--capture={capture}", f"--folder={folder}"]
    options += ["--latency-rates", *map(str, args.latency_rates), "--latency-fields", *args.latency_fields]
    command = [sys.executable, "-m", "benchmarks.live", section, *options]
    if subprocess.run(private.command(*command)).returncode:
        raise SystemExit(f"{section} was not measured")


def _made(folder: Path, packets: int) -> Path:
    need, free = packets * captures.BYTES_PER_PACKET, shutil.disk_usage(folder).free
    if free < need:
        raise SystemExit(
            f"{folder} has {free / 1e9:.1f} GB free; a capture of {packets:,} packets needs {need / 1e9:.1f} (--folder)"
        )
    _say(f"making a capture of {packets:,} packets")
    return captures.made(folder, packets)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
