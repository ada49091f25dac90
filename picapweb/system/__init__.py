"""/system/: how the parts do, on one page and as JSON."""
