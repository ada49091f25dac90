"""Start a program as our child: it ends when we end, and it does not run as root where it must not.

Run as a script: ``python launch.py PARENT_PID SIGNAL MODE PROGRAM [ARGUMENT ...]``. It becomes PROGRAM (exec). MODE is

``same``        the user that we are, without the right to capture (CAP_NET_RAW) even where that is root
``capture``     the same with it: for the live worker alone
``namespace``   in a user namespace of its own, in which the user who starts it is not root (uid 1000). Files stay owned by
                root outside, and nothing of root's power over other people's files is left inside.
``uid:N``       as the unprivileged user and group N, for hosts that refuse user namespaces

SIGNAL is sent by the kernel to PROGRAM when the process PARENT_PID dies (prctl(2), PR_SET_PDEATHSIG), so that a supervisor
that was killed with -9 leaves nothing behind. Only the standard library is used, and nothing of ours is imported: this
starts in some 20 ms. Python 3.11 has no os.unshare, hence ctypes.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
CAP_NET_ADMIN, CAP_NET_RAW = 12, 13
INNER_UID = 1000

# The exit code of this program when the program could not be started in the way that was asked for.
CANNOT = 97


def die_with_parent(signal_number: int, parent: int | None = None) -> None:
    """Ask the kernel for ``signal_number`` when the parent dies. The request outlives exec, but not a change of user.

    With ``parent``, a parent that died before the request is noticed, and the process ends at once.
    Note that "parent" is the thread that started us: a child must be started from a thread that lives as long.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if parent is not None and os.getppid() != parent:
        os._exit(CANNOT)


def enter_user_namespace() -> None:
    """Move this process (of one thread) to a user namespace where its user is INNER_UID. Raises OSError if refused."""
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"user namespaces are refused here: {os.strerror(number)}")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INNER_UID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{INNER_UID} {gid} 1")


def become(uid: int) -> None:
    """Give up root for ``uid`` (and the group of the same number), with no other groups."""
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def drop_capture_right() -> None:
    """What is started from here on cannot get CAP_NET_RAW, nor CAP_NET_ADMIN. An ordinary user has neither."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (CAP_NET_RAW, CAP_NET_ADMIN):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def main(arguments: list[str]) -> None:
    parent, signal_number, mode, *command = arguments
    try:
        if mode == "namespace":
            enter_user_namespace()
        elif mode.startswith("uid:"):
            become(int(mode.removeprefix("uid:")))
        if mode != "capture":
            drop_capture_right()
        die_with_parent(int(signal_number), int(parent))
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: cannot be started ({mode}): {error}", file=sys.stderr)
        os._exit(CANNOT)


if __name__ == "__main__":
    main(sys.argv[1:])
