"""Batches that end the process that dissects them: dissected by processes of their own, cut down to the packets that do it."""
