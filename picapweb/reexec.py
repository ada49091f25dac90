"""Command line options that are settings: settings are read once, early, so the command starts itself again with them."""

from __future__ import annotations

import os
import sys


def with_environment(wanted: dict[str, str]) -> None:
    """Returns if the environment is as wanted; else replaces this process by the same command in that environment."""
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])
