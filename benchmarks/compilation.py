"""What compiling costs: time and size in a fresh cache folder, and the time to load it from there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_WARM = [sys.executable, "-m", "capture.packets.fast.warm"]
_LOAD = [sys.executable, "-c", "from capture.packets.fast.warm import warm; print(warm())"]


def measured() -> dict[str, Any]:
    """seconds, bytes, files of a cache made anew; load: seconds to load it in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PICAPWEB_COMPILED": folder}
        began = time.perf_counter()
        subprocess.run(_WARM, env=environment, check=True, capture_output=True)
        seconds = time.perf_counter() - began
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        loads = [float(subprocess.run(_LOAD, env=environment, check=True, capture_output=True).stdout) for _ in range(3)]
        size = sum(path.stat().st_size for path in files)
    return {"seconds": seconds, "bytes": size, "files": len(files), "load": min(loads)}
