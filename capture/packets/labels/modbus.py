"""Modbus function codes (MODBUS Application Protocol Specification 1.1b3, section 6; those of older specifications)."""

from __future__ import annotations

FUNCTIONS: dict[int, str] = {
    1: "Read Coils", 2: "Read Discrete Inputs", 3: "Read Holding Registers", 4: "Read Input Registers", 5: "Write Single Coil",
    6: "Write Single Register", 7: "Read Exception Status", 8: "Diagnostics", 9: "Program 484", 10: "Poll 484",
    11: "Get Comm Event Counter", 12: "Get Comm Event Log", 13: "Program Controller", 14: "Poll Controller",
    15: "Write Multiple Coils", 16: "Write Multiple Registers", 17: "Report Server ID", 18: "Program 884/M84",
    19: "Reset Comm Link", 20: "Read File Record", 21: "Write File Record", 22: "Mask Write Register",
    23: "Read/Write Multiple Registers", 24: "Read FIFO Queue", 40: "Program ConCept", 43: "Encapsulated Interface Transport",
    90: "Unity (Schneider)", 125: "Firmware Replacement", 126: "Program 584/984", 127: "Report Local Address",
}  # fmt: skip
