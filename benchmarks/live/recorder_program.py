"""`python -m benchmarks.live.recorder_program INTERFACE FOLDER [--plain]`: the recorder alone, in a process as the live worker's.

--plain: without its priority. It says {"ready": WORDS} when the interface is open, captures until its standard input
ends, and says its counters.
"""

from __future__ import annotations

import json
import select
import sys
import time
from pathlib import Path

from capture.packets.live.priority import prefer_this_process
from capture.packets.live.recorder import Recorder, RecorderOrder

# As often as the live worker asks how far the recorder is.
TICK_SECONDS = 0.2
FILE_BYTES = 1 << 40  # one file, as the others write
PATIENCE = 60.0


def main(interface: str, folder: Path, plain: bool) -> None:
    priority = "priority: as it came" if plain else prefer_this_process()
    recorder = Recorder(RecorderOrder(interfaces=(interface.encode(),), folder=folder, file_bytes=FILE_BYTES))
    recorder.start()
    until = time.monotonic() + PATIENCE
    while recorder.snapshot().interfaces[0].state != "up":
        if recorder.ended or time.monotonic() > until:
            raise SystemExit(f"the recorder does not capture: {recorder.ended or recorder.snapshot()}")
        time.sleep(0.01)
    print(json.dumps({"ready": priority}), flush=True)
    while not select.select([sys.stdin], [], [], TICK_SECONDS)[0]:
        recorder.snapshot()
    recorder.stop()
    if not recorder.join(PATIENCE):
        raise SystemExit("the recorder does not end")
    said = recorder.snapshot()
    print(json.dumps({"received": said.received, "dropped": said.dropped_kernel, "captured": said.captured}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), "--plain" in sys.argv[3:])
