"""Who may do what through Pilosa's API.

Client indexes are everybody's who may use this server: all of them in local mode, in server mode who has signed in
(picapweb.middleware.signed_in). Packet indexes are read by the same, and written by captures alone, unless the operator lets
queries write to them.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

PERMISSION = "indexing.write_packets"


def may_write_packets(request: HttpRequest) -> bool:
    """Whether a query of this request may change packet indexes: PICAPWEB_PACKET_WRITES says so, and in server mode the one who
    has signed in has the permission, too."""
    if not settings.PACKET_WRITES:
        return False
    return settings.LOCAL_MODE or request.user.has_perm(PERMISSION)
