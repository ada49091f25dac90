"""A Pilosa that can be killed and comes back on the same port, with what was on its disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from benchmarks.live.up import ROOT, _free_port

PATIENCE = 60.0


class Pilosa:
    """A server of one node. Its program is PILOSA_BIN, or what script/build-pilosa built."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self.program = Path(os.environ.get("PILOSA_BIN") or ROOT / ".cache" / "pilosa" / "pilosa")
        if not self.program.exists():
            raise FileNotFoundError(f"{self.program} is not here: script/build-pilosa makes it")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"pilosa://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, and waits until it answers. Raises RuntimeError with the end of its log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            options = ["-d", str(self.folder / "data"), "-b", f"127.0.0.1:{self.port}", "--cluster.disabled"]
            command = [str(self.program), "server", *options, "--metric.diagnostics=false"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=5) as answer:
                    if json.load(answer)["state"] == "NORMAL":
                        return
            except OSError:
                pass
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"Pilosa does not start: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
