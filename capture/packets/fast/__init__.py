"""The fast dissector: compiled loops over whole batches. Python touches distinct values, never packets."""
