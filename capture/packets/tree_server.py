"""`python -m capture.packets.tree_server`: a process that makes layer trees of packets, each in a child of its own.

A web process starts one when it first shows a packet (capture.packets.bounded_tree), and hands it sockets over the one on its
standard input: a packet comes over each, and its layers go back, or why there are none. Loaded once, forked for each packet: a
web process, with its threads and its connections, could not be forked, and a thread of it could not be ended.

It ends when whoever started it has ended.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from typing import Any

from capture.packets import registry  # noqa: F401  # installed packages may bring layers of their own
from capture.packets.alone.child import Child, Died
from capture.packets.layers import layer_tree
from capture.packets.scapy_dissector import tree, tree_modules  # noqa: F401  # loaded once, and not in each child
from capture.packets.tree_protocol import LAYERS, READY, REASON, REQUEST


class _OnePacket(Child):
    """Makes the layers of one packet, as JSON."""

    SECONDS, MEMORY = "PICAPWEB_PACKET_SECONDS", ""

    @staticmethod
    def packed(found: Any) -> bytes:
        return json.dumps([layer.to_json() for layer in found]).encode()

    @staticmethod
    def unpacked(said: bytes) -> Any:
        return said


def main() -> None:
    """Serves the socket on standard input until it is closed."""
    control = socket.socket(fileno=sys.stdin.fileno())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # of a terminal: whoever started this decides
    tree_modules.load()
    gc.freeze()
    control.sendall(READY)
    while True:
        message, given, _, _ = socket.recv_fds(control, 16, 1)
        if not message:
            return
        if os.fork() == 0:
            try:
                control.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _serve(socket.socket(fileno=given[0]))
            finally:
                os._exit(0)
        os.close(given[0])


def _serve(connection: socket.socket) -> None:
    """Answers what comes over the connection."""
    with connection, connection.makefile("rb") as incoming:
        linktype, wire_length, size, seconds, memory = REQUEST.unpack(incoming.read(REQUEST.size))
        data = incoming.read(size)
        try:
            with _OnePacket([(0, 1)], lambda _: layer_tree(data, linktype, wire_length), memory) as child:
                said = LAYERS + child.answer(seconds, lambda: True)
        except Died as died:
            said = REASON + str(died).encode()
        connection.sendall(said)


if __name__ == "__main__":
    main()
