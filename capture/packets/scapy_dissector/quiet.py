"""What scapy does when it is imported, made harmless; imported before anything else of scapy.

scapy lists the machine's interfaces, which are nothing to us, and fails at one whose name is not UTF-8: Linux allows those.
It logs on machines without IPv6 or without a default route.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

logging.getLogger("scapy").setLevel(logging.CRITICAL)

from scapy import interfaces as _interfaces  # noqa: E402
from scapy.config import conf as conf  # noqa: E402

conf.logLevel = logging.CRITICAL

if sys.platform == "linux":
    _provider: Any = _interfaces.NetworkInterfaceDict
    _reload, _provider.reload = _provider.reload, lambda self: None
    try:
        from scapy.arch import linux as _linux
        from scapy.arch.linux import rtnetlink as _rtnetlink
    finally:
        _provider.reload = _reload
    for _module in (_linux, _rtnetlink):
        vars(_module)["_get_if_list"] = dict
