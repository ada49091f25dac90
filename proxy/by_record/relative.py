"""`TimeRelative(from=, to=)`: packets by the seconds since the first frame of their job's capture: from up to to, exclusive."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from numpy.typing import NDArray

from capture.models import CaptureFile
from capture.packets.batch import NO_TIME
from capture.packets.errors import PacketsError
from capture.packets.sources import open_capture
from indexing.calls import Call, QueryError
from indexing.models import Batch
from proxy.by_record.batches import Flags, columns, visible
from proxy.locate import locator_of
from proxy.moments import NS
from proxy.recent import Recent
from proxy.spans import stamped

NAME = "TimeRelative"
_SECONDS = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
_FOREVER = 1 << 62
# The first frame of a capture stays what it is; of a turning ring it is the first that is there still.
_origins: Recent[int, int | None] = Recent(seconds=10.0, most=4096)


def time_relative(index: str, call: Call) -> Call:
    """The call as columns; see proxy.resolve. Packets without a time are never among them. Raises QueryError."""
    if call.children or call.args.keys() - {"from", "to"} or not call.args:
        raise QueryError(f"{NAME}() takes from= and to=, seconds", call.position)
    low, high = _nanoseconds(call, "from", -_FOREVER), _nanoseconds(call, "to", _FOREVER)
    origins: dict[int, int | None] = {}

    def may(batch: Batch) -> bool:
        if batch.job not in origins:
            origins[batch.job] = _origins.get(batch.job, lambda: origin_of(batch.job))
        origin = origins[batch.job]
        if origin is None:
            return False
        return batch.last_time_ns >= origin + low and batch.first_time_ns < origin + high  # type: ignore[operator]  # not null

    def whole(batch: Batch) -> bool:
        origin = origins[batch.job] or 0
        return origin + low <= batch.first_time_ns and batch.last_time_ns < origin + high  # type: ignore[operator]  # not null

    def which(batch: Batch, locator: NDArray[Any]) -> Flags:
        since = locator["time_ns"] - (origins[batch.job] or 0)
        found: Flags = (since >= low) & (since < high)
        return found

    found = columns(filter(may, visible(index).filter(first_time_ns__isnull=False)), whole, which)
    # A batch that lies wholly within may have packets without a time.
    return Call("Intersect", [found.call(), stamped()], position=call.position)


def origin_of(job: int) -> int | None:
    """The time of the first frame of a job's capture, filtered out or not, in nanoseconds since 1970; None: it has no time.

    Of a live capture whose first ring file has been overwritten, that of the first frame in the index."""
    batches = Batch.objects.filter(job=job, packets__gt=0).order_by("first_number")
    first = batches.first()
    if first is None:
        return None
    ns = None
    try:
        if first.first_number != 1:
            capture = CaptureFile.objects.filter(job=job, sequence=0).first()
            ns = None if capture is None else _first_of(Path(settings.PICAPWEB_DATA) / capture.path)
        if ns is None:
            ns = int(locator_of(first)["time_ns"][0])
    except FileNotFoundError:
        return None
    return None if ns == NO_TIME else ns


def _first_of(path: Path) -> int | None:
    try:
        with open_capture(path) as source:
            for found in source.scan(1):
                return int(found.locator["time_ns"][0])
    except (PacketsError, OSError):
        pass
    return None


def _nanoseconds(call: Call, name: str, otherwise: int) -> int:
    value = call.args.get(name)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not _SECONDS.fullmatch(str(value)):
        raise QueryError(f"{NAME}(): {name} must be seconds, such as 1.5, not {value!r}", call.position)
    return int(Decimal(str(value)) * NS)
