"""docs/accuracy.md out of a comparison."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy.comparison import Comparison

PAGE = Path(__file__).resolve().parents[2] / "docs" / "accuracy.md"


def render(comparison: Comparison) -> str:
    """The page."""
    return ""
