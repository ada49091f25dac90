"""What a web process and its capture.packets.tree_server say to each other."""

from __future__ import annotations

import struct

# Of a packet: linktype, bytes on the wire, bytes captured, seconds, bytes of memory; then the captured bytes.
REQUEST = struct.Struct("<IQQdQ")
# The first byte of an answer: the layers as JSON, or a sentence that says why there are none.
LAYERS, REASON = b"L", b"R"
READY = b"ready"
