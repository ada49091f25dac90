"""The page and its JSON twin. Both answer whatever is away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from picapweb.system import services, work
from picapweb.system.asking import Asks, ask_all
from picapweb.system.disk import disk
from picapweb.system.index import index
from retention.show import retention

PARTS: dict[str, Asks] = {
    "index": index,
    "postgres": services.postgres,
    "broker": services.broker,
    "workers": services.workers,
    "live": work.live,
    "disk": disk,
    "retention": retention,
    "work": work.work,
    "errors": work.errors,
}


TITLES = {
    "index": "Index",
    "postgres": "Postgres",
    "broker": "Broker",
    "workers": "Workers",
    "live": "Live capture",
    "disk": "Disk",
    "retention": "Retention",
}


def system_json() -> dict[str, Any]:
    """{"ok", "time", "mode", "parts": {name: {"ok", "detail", "seconds", ...}}}."""
    parts = ask_all(PARTS)
    return {
        "ok": all(part["ok"] for part in parts.values()),
        "time": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "mode": settings.PICAPWEB_MODE,
        "parts": parts,
    }


class System(APIView):
    """How each part does: the index, Postgres, the broker, workers, the disk, what there is to do, and recent errors."""

    # The middleware has let in whom it lets in; another look at the session would need Postgres, which may be what is away.
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        """Always 200: whether a part answers stands in its `ok`. For a load balancer there is `/readyz`."""
        return Response(system_json(), headers={"Cache-Control": "no-store"})


@require_safe
@never_cache
def system(request: HttpRequest) -> HttpResponse:
    """The page."""
    said = system_json()
    tiles = [{"name": name, "title": title, **said["parts"][name]} for name, title in TITLES.items()]
    bad = [tile["title"] for tile in tiles if not tile["ok"]]
    disk_size = said["parts"]["disk"].get("size") or 0
    used = round(100 * (1 - said["parts"]["disk"]["free"] / disk_size), 1) if disk_size else 0
    context = {**said, **said["parts"], "tiles": tiles, "bad": bad, "disk_used": used}
    return render(request, "picapweb/system.html", context)
