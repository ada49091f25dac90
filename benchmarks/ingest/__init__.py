"""Capture file to queryable: the whole product, beside picap."""
