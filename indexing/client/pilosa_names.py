"""How a client index and what belongs to it are called on Pilosa.

The index `web` is `web_-c` there, so it is no packet index and no generation of one (generation_names), whatever it is called.
Fields have their own names. A field of negative values has a second one beside it, see pilosa_text.sums.
"""

from __future__ import annotations

import hashlib
import re

from indexing.backends.base import BackendError
from indexing.client.contract import INT64_MAX, INT64_MIN, FieldOptions

_LONGEST = 61
_CUT = 34
_INDEX = re.compile(r"[a-z][a-z0-9_-]*_-(?:h[0-9a-f]{14})?c", re.ASCII)
_MIRROR = re.compile(r"m_-[0-9a-f]{48}", re.ASCII)
_HALF = 1 << 62


def physical(index: str) -> str:
    """The name of a client index on Pilosa."""
    if len(index) <= _LONGEST:
        return f"{index}_-c"
    return f"{index[:_CUT]}_-h{hashlib.sha256(index.encode()).hexdigest()[:14]}c"


def is_physical(name: str) -> bool:
    """Whether an index on Pilosa is a client index of ours."""
    return _INDEX.fullmatch(name) is not None


def mirror(field: str) -> str:
    """The field that holds how far the values of an int field lie below its base, where they do."""
    return f"m_-{hashlib.sha256(field.encode()).hexdigest()[:48]}"


def check_field(field: str) -> None:
    """Raises BackendError for a name that is kept for mirrors."""
    if _MIRROR.fullmatch(field):
        raise BackendError(f"invalid field name {field!r}: on Pilosa, a field of ours is called so")


def bounds(options: FieldOptions) -> tuple[int, int]:
    """The (min, max) that an int field is made with.

    Where a base other than 0 would need 63 bits, Pilosa's sums of base and depth overflow: 0 is within the bounds then."""
    low, high = options.minimum, options.maximum
    if options.base and high - low >= _HALF:
        return min(low, 0), max(high, 0)
    return low, high


def base(options: FieldOptions) -> int:
    """What Pilosa subtracts from a value that is stored."""
    return FieldOptions(minimum=bounds(options)[0], maximum=bounds(options)[1]).base


def has_mirror(options: FieldOptions) -> bool:
    """Whether values of the field can lie below its base."""
    return options.type == "int" and bounds(options)[0] < base(options)


def made_with(options: FieldOptions) -> dict[str, object]:
    """The options in Pilosa's JSON. Never keys: they are translated above."""
    if options.type == "int":
        low, high = bounds(options)
        return {"type": "int", "min": low, "max": high}
    if options.type == "time":
        more = {"noStandardView": True} if options.no_standard_view else {}
        return {"type": "time", "timeQuantum": options.time_quantum, **more}
    if options.type == "bool":
        return {"type": "bool"}
    if options.cache_type == "none":
        return {"type": options.type, "cacheType": "none"}
    return {"type": options.type, "cacheType": options.cache_type, "cacheSize": options.cache_size}


MIRROR_OPTIONS: dict[str, object] = {"type": "int", "min": 0, "max": INT64_MAX}
NOT_HELD = INT64_MIN  # its magnitude has 64 bits: Pilosa would keep a sign and nothing else
