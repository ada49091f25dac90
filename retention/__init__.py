"""What goes by age or by size: captures, the index, or both; which and when is looked at by workers between other work."""
