"""Each packet in an array of its own, with every index checked: a read outside of the packet is an IndexError.

`python -m tests.robustness.alone IN OUT` with PICAPWEB_BOUNDS_CHECK=1: IN is a pickled list of packets, OUT gets the
pickled values of each, or the text of what it raised.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from capture.packets.dissect import dissect
from capture.packets.fast.warm import warm
from tests.robustness.packets import Packet, batch_of
from tests.robustness.values import Values, values_of

ROOT = Path(__file__).resolve().parents[2]
PER_PACKET = 5.0  # seconds of a processor: no packet of at most 70 kB takes so long, with every index checked


def alone(packets: Sequence[Packet], seconds: float, bounds_check: bool = True) -> list[Values | str]:
    """The values of each packet from a process of its own. Raises TimeoutExpired after so many seconds: something hangs."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "in", Path(folder) / "out"
        given.write_bytes(pickle.dumps([tuple(packet) for packet in packets]))
        environment = {**os.environ, "PICAPWEB_BOUNDS_CHECK": str(int(bounds_check))}
        command = [sys.executable, "-m", "tests.robustness.alone", str(given), str(made)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=seconds)
        found: list[Values | str] = pickle.loads(made.read_bytes())
        return found


def main(given: Path, made: Path) -> None:
    found: list[Values | str] = []
    warm()
    dissect(batch_of([Packet(b"", 147, 0)]), ["all"], "scapy")  # its import is slow
    for packet in (Packet(*each) for each in pickle.loads(given.read_bytes())):
        began = time.process_time()
        try:
            values: Values | str = values_of([packet], "fast")[0]
        except Exception as error:
            values = f"{type(error).__name__}: {error}"
        took = time.process_time() - began
        found.append(f"took {took:.1f} s" if took > PER_PACKET else values)
    made.write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
