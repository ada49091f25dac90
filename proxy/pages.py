"""What other pages take from here: the filter bar, which has a file of its own."""

from __future__ import annotations

from proxy.filter_bar import bar_of, status_of, wrong

__all__ = ["bar_of", "status_of", "wrong"]
