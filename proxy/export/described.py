"""What captures say of the interfaces that packets of an export came from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from capture.models import CaptureFile, Job
from capture.packets.values import bytes_of
from proxy.export.packets import Packets

_POWER = re.compile(r"(2|10)\^-([0-9]+)")


@dataclass(frozen=True)
class Described:
    """fine: times are finer than a microsecond. snaplen 0: no limit, or not known. Texts b"" where the capture says nothing.

    job: the name of the job."""

    fine: bool = False
    snaplen: int = 0
    description: bytes = b""
    filter: bytes = b""
    hardware: bytes = b""
    os: bytes = b""
    job: str = ""


def described(packets: Packets) -> list[Described]:
    """By interface of the packets, which were all gone through once."""
    paths = {packets.captures[number].relative for number in packets.first_capture}
    rows = CaptureFile.objects.filter(path__in=paths).values_list("path", "info", "snaplen")
    captures = {path: (info or {}, snaplen) for path, info, snaplen in rows}
    names = dict(Job.objects.filter(pk__in={one.job for one in packets.interfaces}).values_list("pk", "name"))
    found = []
    for one, number in zip(packets.interfaces, packets.first_capture, strict=True):
        info, snaplen = captures.get(packets.captures[number].relative, ({}, 0))
        listed = info.get("interfaces") or []
        said = listed[one.number] if one.number < len(listed) else {}
        texts = {name: bytes_of(said.get(name) or "") for name in ("description", "filter", "hardware", "os")}
        if texts["filter"].startswith(b"(compiled, "):
            texts["filter"] = b""
        fine, most = is_fine(info.get("resolution", "")), int(said.get("snaplen", snaplen) or 0)
        found.append(Described(fine, most, **texts, job=names.get(one.job, "")))
    return found


def is_fine(resolution: str) -> bool:
    """Whether a resolution as CaptureInfo has it ("us", "10^-9", "2^-20") is finer than a microsecond."""
    power = _POWER.fullmatch(resolution)
    if power is None:
        return resolution == "ns"
    return int(power[2]) >= 20 if power[1] == "2" else int(power[2]) > 6
