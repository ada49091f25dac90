"""All filters over all captures, in memory: `python -m tests.proxy.display`. Exit 1 if a difference has no reason."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.proxy.display.comparison import CAPTURES, compare, filters


def main() -> int:
    texts = filters()
    with tempfile.TemporaryDirectory() as folder:
        compared = compare(CAPTURES, texts, Path(folder))
    for one in compared.differences:
        print(one)
    print(f"{len(texts)} filters, {len(CAPTURES)} captures: {compared.asked} asked, {compared.equal} equal in every frame,")
    print(f"{len(compared.differences)} differ, {len(compared.unexplained)} of them without a reason")
    for name, count in Counter(name for one in compared.differences for name in one.reasons).most_common():
        print(f"{count:6} {name}")
    print("never true:", ", ".join(text for text in texts if not compared.found[text]))
    return 1 if compared.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
