"""Peak of anonymous memory while a large capture is dissected batch by batch, in a process of its own.

`python -m benchmarks.memory CAPTURE` prints one JSON object: packets, bytes, seconds, and RssAnon in bytes: before the first
packet, and the highest of samples every 5 ms.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any


def rss_anon() -> int:
    """RssAnon of this process, in bytes (proc_pid_status(5)): without the page cache and without mapped files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell RssAnon")


class Peak(threading.Thread):
    """Samples RssAnon until it is told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest = rss_anon()
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.005):
            self.highest = max(self.highest, rss_anon())

    def stop(self) -> int:
        """The highest sample."""
        self._done.set()
        self.join()
        return max(self.highest, rss_anon())


def measured(capture: Path) -> dict[str, Any]:
    """The figures of a capture, from a fresh process."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.memory", str(capture)], capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def main(capture: Path) -> None:
    from benchmarks.subjects import dissected
    from capture.packets.fast.warm import warm

    warm()
    before = rss_anon()
    peak = Peak()
    peak.start()
    began = time.perf_counter()
    packets = dissected(capture, "all", "fast")
    seconds = time.perf_counter() - began
    figures = {"packets": packets, "bytes": capture.stat().st_size, "seconds": seconds, "before": before, "peak": peak.stop()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
