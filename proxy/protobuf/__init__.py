"""Pilosa's protobuf messages, read and written by hand: no Python object a number, and Django-free."""
