"""`script/fuzz`: gives every reader of what strangers send damaged and made-up input, and looks whether everything holds.

With --minutes all of them: capture files, compressed ones, packets (both dissectors, each alone too), conversations (the second
pass, whole and in batches), PQL, display filters, protobuf bodies, roaring bytes. With --packets damaged packets alone. What is
found is printed, and kept as a file with its seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.accuracy import corpus
from tests.robustness.campaign import complaints
from tests.robustness.fuzzing.run import Finding, fuzz, keep
from tests.robustness.fuzzing.targets import TARGETS
from tests.robustness.mutations import mutations
from tests.robustness.packets import corpus_packets

ROUND = 60.0  # seconds for the targets of one round together
PACKETS_A_ROUND = 2000
KEPT = Path(__file__).resolve().parents[2] / "var" / "fuzz"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="script/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, help="for how long; all readers")
    parser.add_argument("--packets", type=int, default=10_000, help="how many damaged packets, where --minutes is not given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--target", choices=[one.name for one in TARGETS], action="append", help="with --minutes, only this; repeatable"
    )
    parser.add_argument("--keep", type=Path, default=KEPT, help="folder of what is found")
    parser.add_argument("--no-bounds-check", action="store_true", help="each packet alone, but with the usual compiled code")
    parser.add_argument("--show", type=int, default=20, help="how many complaints are printed")
    args = parser.parse_args()
    if args.minutes is not None:
        return _all(args)
    if not corpus.PCAPS.is_dir():
        print(f"there are no captures in {corpus.PCAPS}", file=sys.stderr)
        return 2
    said = _packets(args, args.seed, args.packets, not args.no_bounds_check)
    print(f"{args.packets} damaged packets (seed {args.seed}) of {len(corpus_packets())}: {said} complaints")
    return int(bool(said))


def _packets(args: argparse.Namespace, seed: int, count: int, bounds_check: bool) -> int:
    """How many complaints there are; the first ones are printed."""
    packets = mutations(seed, count, corpus_packets())
    said = complaints(packets, bounds_check, 60 + count, lambda line: print(line, file=sys.stderr, flush=True))
    for text in said[: args.show]:
        print(text if len(text) < 3000 else f"{text[:1500]} ... {text[-1400:]}")
    return len(said)


def _all(args: argparse.Namespace) -> int:
    """Round after round, each with a seed of its own."""
    end = time.monotonic() + args.minutes * 60
    targets = [one for one in TARGETS if not args.target or one.name in args.target]
    tried = {one.name: 0 for one in targets}
    found = packets = complained = 0
    seed = args.seed
    with_packets = not args.target and corpus.PCAPS.is_dir()

    def told(finding: Finding) -> None:
        nonlocal found
        found += 1
        path = keep(finding, args.keep)
        if found <= args.show:
            print(f"{finding.target}: {finding.why.strip().splitlines()[-1]}: {path}", flush=True)

    while (left := end - time.monotonic()) > 0:
        seconds = min(ROUND, left)
        for target in targets:
            until = time.monotonic() + seconds * target.share / sum(one.share for one in targets)
            tried[target.name] += fuzz(target, seed, lambda _, until=until: time.monotonic() > until, told)  # type: ignore[misc]
        if with_packets and end - time.monotonic() > 0:
            # Each index checked in the first round only: compiling that takes minutes.
            complained += _packets(args, seed, PACKETS_A_ROUND, seed == args.seed and not args.no_bounds_check)
            packets += PACKETS_A_ROUND
        done = ", ".join(f"{name} {count:,}" for name, count in tried.items())
        print(f"seed {seed}: {done}, packets {packets:,}: {found + complained} findings", file=sys.stderr, flush=True)
        seed += 1
    print(f"seeds {args.seed} to {seed - 1}: {sum(tried.values()):,} inputs, {packets:,} packets: {found + complained} findings")
    if found:
        print(f"kept in {args.keep}: what was read, and beside it what happened")
    return int(bool(found + complained))


if __name__ == "__main__":
    sys.exit(main())
