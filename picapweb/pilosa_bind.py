"""A second place to listen, for Pilosa's own clients, which cannot sign in: Pilosa's API alone, with one fixed role. Off.

It is a web server of its own, with PICAPWEB_PILOSA_ONLY set: picapweb.middleware.signed_in then lets everybody act in that role,
and serves no other URL. Who can reach the address has the role's rights: it belongs on a network where only those clients are.
"""

from __future__ import annotations

import ipaddress
import re

from picapweb import environment


class BadBind(ValueError):
    """What was given is no address and port."""


def parts_of(text: str) -> tuple[str, int] | None:
    """Address and port of `10.0.0.5:10101` or `[fd00::5]:10101`; None for an empty text. Raises BadBind."""
    if not text:
        return None
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})", text)
    try:
        if found is None or not 1 <= int(found[3]) <= 65535:
            raise ValueError
        return str(ipaddress.ip_address(found[1] or found[2])), int(found[3])
    except ValueError:
        raise BadBind(f"PICAPWEB_PILOSA_BIND must be an address and a port, such as 10.0.0.5:10101, not {text!r}") from None


def wanted(*, local: bool) -> tuple[str, int] | None:
    """Where the environment wants it to listen, if anywhere. Raises BadBind: also in local mode, where everything is open to the
    one person that there is, and nothing to others."""
    found = parts_of(environment.text("PICAPWEB_PILOSA_BIND", ""))
    if found is not None and local:
        raise BadBind("PICAPWEB_PILOSA_BIND is for server mode (PICAPWEB_MODE=server)")
    return found
