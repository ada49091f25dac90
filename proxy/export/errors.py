"""What ends an export that has begun."""

from __future__ import annotations


class ExportBroken(Exception):
    """Packets that were there when the export began cannot be read any more; the text says which and why.

    What was sent so far is no whole file, and the answer must not look like one."""
