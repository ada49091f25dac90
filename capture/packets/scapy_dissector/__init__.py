"""The reference dissector: one packet at a time, every header decoded by scapy's classes."""
