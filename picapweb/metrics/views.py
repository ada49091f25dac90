"""The endpoint: everything is put together when it is asked for, so every web process says the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from picapweb.metrics.jobs import jobs
from picapweb.metrics.parts import parts
from picapweb.metrics.processes import processes


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, or OpenMetrics where that is asked for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Everything())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class Everything(Collector):
    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: else the registry would ask Postgres when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from jobs()
        yield from parts()
        yield from processes()
