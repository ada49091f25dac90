"""Who may do what through Pilosa's API.

Client indexes are everybody's who may use this server, and written by operators and admins (people.permissions). Packet
indexes are read by the same, each the packets of jobs that they may see, and written by captures alone, unless the setting lets
queries of admins write to them.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from people import who
from people.models import Role

PERMISSION = "indexing.write_packets"


def may_write_packets(request: HttpRequest) -> bool:
    """Whether a query of this request may change packet indexes: PICAPWEB_PACKET_WRITES says so, and in server mode the one who
    has signed in has the permission, too."""
    if not settings.PACKET_WRITES:
        return False
    one = who.current()
    # Who does not see every packet could write to some that they do not see.
    return settings.LOCAL_MODE or (one.writes and one.sees_all and request.user.has_perm(PERMISSION))


def may_write_clients() -> bool:
    """Whether a query of this request may change client indexes: as their imports may (people.permissions)."""
    one = who.current()
    return one.writes and one.is_at_least(Role.OPERATOR)
