"""The second pass's TCP analysis: packets per second of its loops on one core, beside tshark's two passes; memory."""
