"""Commands of SMB 1 (MS-CIFS, 2.2.2.1) and of SMB 2 and 3 (MS-SMB2, 2.2.1)."""

from __future__ import annotations

COMMANDS: dict[int, str] = {
    0x00: "Create Directory", 0x01: "Delete Directory", 0x02: "Open", 0x03: "Create", 0x04: "Close", 0x05: "Flush",
    0x06: "Delete", 0x07: "Rename", 0x08: "Query Information", 0x09: "Set Information", 0x0A: "Read", 0x0B: "Write",
    0x0C: "Lock Byte Range", 0x0D: "Unlock Byte Range", 0x0E: "Create Temporary", 0x0F: "Create New", 0x10: "Check Directory",
    0x11: "Process Exit", 0x12: "Seek", 0x13: "Lock and Read", 0x14: "Write and Unlock", 0x1A: "Read Raw", 0x1B: "Read MPX",
    0x1C: "Read MPX Secondary", 0x1D: "Write Raw", 0x1E: "Write MPX", 0x1F: "Write MPX Secondary", 0x20: "Write Complete",
    0x21: "Query Server", 0x22: "Set Information 2", 0x23: "Query Information 2", 0x24: "Locking AndX", 0x25: "Transaction",
    0x26: "Transaction Secondary", 0x27: "IOCTL", 0x28: "IOCTL Secondary", 0x29: "Copy", 0x2A: "Move", 0x2B: "Echo",
    0x2C: "Write and Close", 0x2D: "Open AndX", 0x2E: "Read AndX", 0x2F: "Write AndX", 0x30: "New File Size",
    0x31: "Close and Tree Disconnect", 0x32: "Transaction 2", 0x33: "Transaction 2 Secondary", 0x34: "Find Close 2",
    0x35: "Find Notify Close", 0x70: "Tree Connect", 0x71: "Tree Disconnect", 0x72: "Negotiate", 0x73: "Session Setup AndX",
    0x74: "Logoff AndX", 0x75: "Tree Connect AndX", 0x7E: "Security Package AndX", 0x80: "Query Information Disk",
    0x81: "Search", 0x82: "Find", 0x83: "Find Unique", 0x84: "Find Close", 0xA0: "NT Transaction",
    0xA1: "NT Transaction Secondary", 0xA2: "NT Create AndX", 0xA4: "NT Cancel", 0xA5: "NT Rename", 0xC0: "Open Print File",
    0xC1: "Write Print File", 0xC2: "Close Print File", 0xC3: "Get Print Queue", 0xD0: "Send Single Block Message",
    0xD1: "Send Broadcast Message", 0xD2: "Forward User Name", 0xD3: "Cancel Forward", 0xD4: "Get Machine Name",
    0xD5: "Send Start of Multi-block Message", 0xD6: "Send End of Multi-block Message",
    0xD7: "Send Text of Multi-block Message", 0xD8: "Read Bulk", 0xD9: "Write Bulk", 0xDA: "Write Bulk Data", 0xFE: "Invalid",
    0xFF: "No AndX Command",
}  # fmt: skip

COMMANDS2: dict[int, str] = {
    0x00: "Negotiate", 0x01: "Session Setup", 0x02: "Logoff", 0x03: "Tree Connect", 0x04: "Tree Disconnect", 0x05: "Create",
    0x06: "Close", 0x07: "Flush", 0x08: "Read", 0x09: "Write", 0x0A: "Lock", 0x0B: "IOCTL", 0x0C: "Cancel", 0x0D: "Echo",
    0x0E: "Query Directory", 0x0F: "Change Notify", 0x10: "Query Info", 0x11: "Set Info", 0x12: "Oplock Break",
    0x13: "Server to Client Notification",
}  # fmt: skip
