"""`script/fuzz`: damages packets of ../shared/pcaps and looks whether everything holds. Prints what does not."""

from __future__ import annotations

import argparse
import sys

from benchmarks.accuracy import corpus
from tests.robustness.campaign import complaints
from tests.robustness.mutations import mutations
from tests.robustness.packets import corpus_packets


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/fuzz", description=__doc__)
    parser.add_argument("--packets", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-bounds-check", action="store_true", help="each packet alone, but with the usual compiled code")
    parser.add_argument("--show", type=int, default=20, help="how many complaints are printed")
    args = parser.parse_args()
    if not corpus.PCAPS.is_dir():
        print(f"there are no captures in {corpus.PCAPS}", file=sys.stderr)
        return 2
    packets = mutations(args.seed, args.packets, corpus_packets())
    said = complaints(packets, not args.no_bounds_check, 60 + args.packets, lambda line: print(line, file=sys.stderr, flush=True))
    for text in said[: args.show]:
        print(text if len(text) < 3000 else f"{text[:1500]} ... {text[-1400:]}")
    print(f"{len(packets)} damaged packets (seed {args.seed}) of {len(corpus_packets())}: {len(said)} complaints")
    return int(bool(said))


if __name__ == "__main__":
    sys.exit(main())
