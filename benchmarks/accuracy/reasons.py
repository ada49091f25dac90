"""Why a figure of ours is rightly another than tshark's. Each was found by looking at the packets."""

from __future__ import annotations

REASONS: dict[str, str] = {}
