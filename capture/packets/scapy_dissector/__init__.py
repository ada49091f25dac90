"""The reference dissector: one packet at a time, plainly.

Headers are decoded by scapy's classes, but for those of which scapy has none, or one that wants more than the header's fixed part
(GRE of version 1, GTP with extension headers, radiotap, PPP, loopback): these are read by their published layouts.
"""
