"""What a client's session printed, held against what it should have got."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.product_servers import Peer


def differences(printed: str, expected: Path, peer: Peer, pilosa_is_wrong: dict[str, Any]) -> list[str]:
    """One line a step that got something else. Of Pilosa alone its own wrong answers are expected, which shows that they are."""
    said, wanted = json.loads(printed), json.loads(expected.read_text(encoding="utf-8"))
    if peer.server is None:
        wanted = {**wanted, **pilosa_is_wrong}
    found = [f"{step}: not reached" for step in wanted.keys() - said.keys()]
    for step, got in said.items():
        if step not in wanted:
            found.append(f"{step}: not expected: {got}")
        elif got != wanted[step] and not (peer.server is None and _ties(got) == _ties(wanted[step])):
            found.append(f"{step}:\n    expected {wanted[step]}\n    got      {got}")
    return found


def _ties(said: Any) -> Any:
    """TopN's equal counts come in any order from Pilosa."""
    return {**said, "items": sorted(said["items"])} if isinstance(said, dict) and "items" in said else said
