"""The comparison with tshark's figures of all shared captures, and that it can tell right from wrong."""
