"""Packets of a question as a file: pcap, pcapng, CSV, JSON lines, Parquet, streamed.

snapshot (columns at one moment) -> packets (where each lies, block by block) -> a format (one file each) -> stream.
"""
