"""The way through a packet's headers in compiled loops. One file a group of headers; `walk` is the loop over the batch.

Handlers have the shape of the scapy dissector's: `handler(data, w, at, ...)` reads the header at offset `at` and answers which
header follows (a number of `steps`), its offset in w[AT]. They must agree with it on every packet.
"""
