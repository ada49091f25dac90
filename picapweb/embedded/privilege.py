"""As whom the embedded services run: Postgres refuses root, and nothing else here needs it either."""

from __future__ import annotations

import os
import pwd
import subprocess
from functools import cache
from pathlib import Path

from picapweb.embedded.child import SAME_USER, launcher
from picapweb.embedded.data import DataFolder

NAMESPACE = "namespace"


def choose(data: DataFolder) -> str:
    """The mode (embedded/launch.py) for services on this data folder, and the folder prepared for it.

    An ordinary user runs them directly. Root runs them in a user namespace, where files stay root's; on a host that refuses
    namespaces, as an unprivileged user, to whom the data folder is given: the one who owns it already, or ``nobody``.
    """
    if os.geteuid() != 0:
        return SAME_USER
    owner = data.postgres.stat().st_uid
    if owner == 0 and namespaces_work():
        return NAMESPACE
    return give_to(data, owner or data.root.stat().st_uid or pwd.getpwnam("nobody").pw_uid)


def give_to(data: DataFolder, uid: int) -> str:
    """Make ``uid`` the owner of the data folder and of the services' folders in it; the mode to run them in."""
    for folder in (data.root, data.postgres, data.valkey, data.run):
        os.chown(folder, uid, uid)
    for left in Path(data.run).iterdir():
        left.unlink()
    return f"uid:{uid}"


@cache
def namespaces_work() -> bool:
    """Whether this host lets us make a user namespace (containers and hardened kernels may refuse)."""
    return subprocess.run(launcher(["/bin/sh", "-c", ":"], mode=NAMESPACE), capture_output=True).returncode == 0
