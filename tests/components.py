"""The real components that tests need and a machine may lack: which are here, and what to say when one is not."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def _pilosa() -> bool:
    return (ROOT / ".cache" / "pilosa" / "pilosa").exists() or shutil.which("go") is not None


def _chromium() -> bool:
    if importlib.util.find_spec("playwright") is None:
        return False
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


def _network_namespaces() -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0


# The name is what stands in "not run: N tests need NAME".
COMPONENTS: dict[str, Callable[[], bool]] = {
    "Pilosa (Go)": _pilosa,
    "Go": lambda: shutil.which("go") is not None,
    "Chromium": _chromium,
    "ip (iproute2)": lambda: shutil.which("ip") is not None,
    "setpriv (util-linux)": lambda: shutil.which("setpriv") is not None,
    "setcap (libcap2-bin)": lambda: shutil.which("setcap") is not None,
    "zstd": lambda: shutil.which("zstd") is not None,
    "tshark": lambda: shutil.which("tshark") is not None,
    "tcpdump": lambda: shutil.which("tcpdump") is not None,
    "tcpreplay": lambda: shutil.which("tcpreplay") is not None,
    "root": lambda: os.geteuid() == 0,
    "root for network namespaces": _network_namespaces,
    "../shared": SHARED.is_dir,
    "Linux": lambda: sys.platform == "linux",
}


@functools.cache
def is_here(component: str) -> bool:
    """Whether a component is on this machine. Raises KeyError for a name that is not in COMPONENTS."""
    return COMPONENTS[component]()
