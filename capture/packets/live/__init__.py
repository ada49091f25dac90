"""Live captures: from interfaces into a ring of pcapng files, as good as dumpcap at not losing packets.

What is hot runs compiled and without the GIL: libpcap calls `callback.take`, which writes each packet as a block of a pcapng file
into a chunk of memory; a thread per interface reads, one thread writes whole chunks, one more brings them to the disk.
"""
