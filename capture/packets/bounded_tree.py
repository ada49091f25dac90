"""The layer tree of a packet, within bounds of time and memory: what web processes call.

Dissectors are code that meets whatever strangers send, and a thread that hangs in one cannot be ended. So a process of its own
(capture.packets.tree_server) has a child make the tree, which is killed when it takes too long or too much.
"""

from __future__ import annotations

import atexit
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from capture.packets.layer import Layer, LayerField
from capture.packets.tree_protocol import LAYERS, READY, REQUEST

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 512 << 20  # bytes that one tree may take
AT_ONCE = 8  # trees of one web process: hostile packets must not have all of the machine
START_SECONDS = 60.0  # scapy is loaded once
GRACE_SECONDS = 15.0  # a child may begin late on a busy machine


class Undissected(Exception):
    """There is no tree of this packet; the text says why, for the user."""


class _Server:
    """The process, started when it is first wanted, and again when it is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> socket.socket:
        """A connection to a child of its own. Raises OSError where the process cannot be started."""
        with self._lock:
            for last in (False, True):
                ours, theirs = socket.socketpair()
                try:
                    with theirs:
                        socket.send_fds(self._running(), [b"1"], [theirs.fileno()])
                    return ours
                except OSError:
                    ours.close()
                    self._end()
                    if last:
                        raise
        raise AssertionError  # not reached

    def _running(self) -> socket.socket:
        if self._control is not None:
            return self._control
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "capture.packets.tree_server"]
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd=ROOT, start_new_session=True
            )
        self._control = control
        control.settimeout(START_SECONDS)
        if control.recv(len(READY)) != READY:
            raise OSError("it ended while it was started")
        return control

    def _end(self) -> None:
        """It ends by itself when its socket is closed."""
        control, process, self._control, self._process = self._control, self._process, None, None
        if control is not None:
            control.close()
        if process is not None:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self) -> None:
        with self._lock:
            self._end()


_server = _Server()
_at_once = threading.BoundedSemaphore(AT_ONCE)
atexit.register(_server.close)


def bounded_tree(data: bytes, linktype: int, wire_length: int, seconds: float, memory: int = MEMORY) -> list[Layer]:
    """As capture.packets.layers.layer_tree. seconds, memory (bytes): what it may take. Raises Undissected."""
    if not _at_once.acquire(timeout=seconds + GRACE_SECONDS):
        raise Undissected("other packets are still being dissected")
    try:
        with _server.connect() as connection:
            connection.settimeout(seconds + GRACE_SECONDS)
            try:
                connection.sendall(REQUEST.pack(linktype, wire_length, len(data), seconds, memory) + data)
                connection.shutdown(socket.SHUT_WR)
                said = _all_of(connection)
            except TimeoutError:
                raise Undissected(f"its dissector did not answer within {seconds + GRACE_SECONDS:.3g} s") from None
    except OSError as error:
        raise Undissected(f"its dissector cannot be started: {error.strerror or error}") from error
    finally:
        _at_once.release()
    if said[:1] == LAYERS:
        return [_layer(one) for one in json.loads(said[1:])]
    raise Undissected(said[1:].decode("utf-8", "replace") or "its dissector's process ended")


def _all_of(connection: socket.socket) -> bytes:
    said = bytearray()
    while piece := connection.recv(1 << 16):
        said += piece
    return bytes(said)


def _layer(one: dict[str, Any]) -> Layer:
    return Layer(**{**one, "fields": [LayerField(**each) for each in one["fields"]]})
