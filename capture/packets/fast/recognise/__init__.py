"""Application protocols by content in compiled loops: exactly what `capture.packets.recognise` says, for whole batches.

`dispatch` is the way in; one file per protocol group, as in the plain package, whose functions hold the rules and their RFCs.
Every check gets (data, at, end) and reads nothing outside of data[at:end].
"""
