"""`script/accuracy`: writes docs/accuracy.md, or shows differences of some captures and quantities."""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatchcase

from benchmarks.accuracy import corpus
from benchmarks.accuracy.comparison import compare
from benchmarks.accuracy.report import PAGE, render


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/accuracy", description=__doc__)
    parser.add_argument("--dissector", default="fast")
    parser.add_argument("--captures", default="*", help="shell pattern, as protocols/*; shows, writes nothing")
    parser.add_argument("--quantities", default="*", help="shell patterns, as 'first.* any.*'; shows, writes nothing")
    parser.add_argument("--show", action="store_true", help="shows what is unexplained, writes nothing")
    parser.add_argument("--explained", action="store_true", help="shows what has a reason, too")
    args = parser.parse_args()
    if not corpus.PCAPS.is_dir():
        print(f"there are no captures in {corpus.PCAPS}", file=sys.stderr)
        return 2
    captures = [name for name in corpus.names() if fnmatchcase(name, args.captures)]
    comparison = compare(captures, args.dissector, args.quantities)
    for d in comparison.differences:
        if args.explained or not d.reason:
            print(f"{d.capture}  {d.quantity}  {d.side} {d.packets} x {d.value!r}  {d.reason or 'UNEXPLAINED'}")
    unexplained = len(comparison.unexplained())
    print(f"{comparison.quantities} quantities, {comparison.differing} differ, {unexplained} values unexplained")
    if (args.captures, args.quantities, args.show) == ("*", "*", False):
        PAGE.write_text(render(comparison))
        print(f"{PAGE} written")
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
