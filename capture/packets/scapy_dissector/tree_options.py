"""TCP options one by one, each with its bytes (RFC 9293 3.2; kinds: IANA, TCP option kind numbers)."""

from __future__ import annotations

from capture.packets.layer import LayerField

_SAID = {0: "end of options", 1: "no operation", 4: "permitted"}
_NAMES = {
    0: "end", 1: "NOP", 2: "maximum segment size", 3: "window scale", 4: "SACK", 5: "SACK",
    8: "timestamps", 19: "MD5 signature", 28: "user timeout", 29: "TCP-AO", 30: "multipath TCP", 34: "fast open cookie",
}  # fmt: skip


def tcp_options(data: bytes, at: int, end: int) -> list[LayerField]:
    """Of options that lie from `at` to `end` in the packet; up to the first whose length is wrong."""
    out: list[LayerField] = []
    end = min(end, len(data))
    while at < end:
        kind = data[at]
        size = 1 if kind < 2 else data[at + 1] if at + 1 < end else 0
        if size < (1 if kind < 2 else 2) or at + size > end:
            break
        value, meaning = _value(kind, data[at + 2 : at + size])
        out.append(LayerField(f"options.{_NAMES.get(kind, f'kind {kind}')}", value, meaning, at, size))
        at += size
        if kind == 0:
            break
    return out


def _value(kind: int, value: bytes) -> tuple[str, str]:
    if kind in (2, 28) and len(value) == 2:
        return str(int.from_bytes(value, "big")), ""
    if kind == 3 and len(value) == 1:
        return str(value[0]), f"multiply by {1 << value[0]}" if value[0] <= 14 else "above 14: taken as 14"
    if kind == 8 and len(value) == 8:
        return f"TSval {int.from_bytes(value[:4], 'big')}, TSecr {int.from_bytes(value[4:], 'big')}", ""
    if kind == 5 and value and len(value) % 8 == 0:
        edges = [int.from_bytes(value[i : i + 4], "big") for i in range(0, len(value), 4)]
        return ", ".join(f"{left}–{right}" for left, right in zip(edges[::2], edges[1::2], strict=True)), ""
    return _SAID.get(kind, value.hex()), ""
