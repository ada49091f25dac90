"""All that must hold for packets, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.robustness.alone import alone
from tests.robustness.packets import Packet
from tests.robustness.values import differences, values_of

BATCH = 2000


def complaints(
    packets: Sequence[Packet], bounds_check: bool = True, seconds: float = 600, told: Callable[[str], None] = lambda _: None
) -> list[str]:
    """What is wrong: nothing raises; `fast` gives what scapy gives; in a batch of many as alone, with no read outside."""
    out: list[str] = []
    together = []
    for at in range(0, len(packets), BATCH):
        some = packets[at : at + BATCH]
        fast, scapy = values_of(some, "fast"), values_of(some, "scapy")
        out += [f"fast / scapy differ: {text}" for text in differences(some, fast, scapy)]
        together += fast
        told(f"{at + len(some)} of {len(packets)}: {len(out)} complaints")
    single = alone(packets, seconds, bounds_check)
    told(f"{len(packets)} alone")
    for packet, values in zip(packets, single, strict=True):
        if isinstance(values, str):
            out.append(f"alone: {values}: link type {packet.linktype}, wire {packet.wire}, {packet.data.hex()}")
    good = [i for i, values in enumerate(single) if not isinstance(values, str)]
    out += [
        f"together / alone differ: {text}"
        for text in differences([packets[i] for i in good], [together[i] for i in good], [single[i] for i in good])  # type: ignore[misc]
    ]
    return out
