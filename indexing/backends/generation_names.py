"""How the physical index of a generation is called on Pilosa.

Generation 7 of `net` is the index `net_-g7`. Pilosa takes 64 characters at most, so the names of long indexes are cut and told
apart by a hash: `<34 characters>_-h<14 hex digits>g7`. No index of a user may be called like this: `is_generation_name`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_LONGEST_INDEX = 49
_CUT = 34
MOST = 10**12 - 1  # the greatest generation: 12 digits
_NUMBER = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
_NAME = re.compile(rf"[a-z][a-z0-9_-]*_-(?:h[0-9a-f]{{14}})?g{_NUMBER.pattern}", re.ASCII)


def is_generation_name(name: str) -> bool:
    """Whether an index of this name is a generation of another one."""
    return _NAME.fullmatch(name) is not None


def generation_name(index: str, generation: int) -> str:
    """The physical index that holds a generation's batches; generation 0 is the index itself."""
    if not 0 <= generation <= MOST:
        raise ValueError(f"generation {generation} of index {index}: generations are 0 to {MOST}")
    return f"{_stem(index)}{generation}" if generation else index


def generations_among(names: Iterable[str], index: str) -> list[int]:
    """The generations of an index that are among these names of physical indexes, ascending."""
    stem = _stem(index)
    numbers = (name[len(stem) :] for name in names if name.startswith(stem))
    return sorted(int(number) for number in numbers if _NUMBER.fullmatch(number))


def _stem(index: str) -> str:
    if len(index) <= _LONGEST_INDEX:
        return f"{index}_-g"
    return f"{index[:_CUT]}_-h{hashlib.sha256(index.encode()).hexdigest()[:14]}g"
