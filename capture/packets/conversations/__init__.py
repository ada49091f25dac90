"""The second pass: what belongs to conversations, not to single packets (retransmissions, round-trip times, handshakes, answers).

A batch gives records (`Subject.records`), one after the other in capture order to a state (`Subject.state`), which says what it
found of which packets. No Django, no index: columns are only numbers that ascend with the packets.
"""
