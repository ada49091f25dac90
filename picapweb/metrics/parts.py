"""How parts do: which answer, the broker's queue, the disk, webhooks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from picapweb.system import services
from picapweb.system.asking import ask_all
from picapweb.system.disk import disk
from picapweb.system.index import index
from proxy.models import Alert, Delivery, DeliveryState
from retention.models import Removal, Takes

# A call to all workers takes a while: who scrapes from several places does not have them called each time.
KEPT_SECONDS = 5.0
_kept: tuple[float, dict[str, Any]] | None = None


def parts() -> Iterator[Metric]:
    yield from _answering()
    yield from _disk()
    yield from _webhooks()
    yield from _retention()


def _answering() -> Iterator[Metric]:
    """All at once, and for a bounded time: a scrape must not be late because a part hangs."""
    global _kept
    if _kept is None or time.monotonic() - _kept[0] > KEPT_SECONDS:
        _kept = time.monotonic(), ask_all({"broker": services.broker, "index": index, "workers": services.workers})
    said = _kept[1]
    up = GaugeMetricFamily("picapweb_part_up", "1 if the part answers", labels=("part",))
    # Postgres has answered, or there would be no answer at all.
    for part, ok in {"postgres": True, **{name: one["ok"] for name, one in said.items()}}.items():
        up.add_metric((part,), int(ok))
    yield up
    queue = GaugeMetricFamily("picapweb_broker_messages", "Messages that wait for workers: doorbells only, see picapweb_batches")
    if "waiting" in said["broker"]:
        queue.add_metric((), said["broker"]["waiting"])
    yield queue
    processes = GaugeMetricFamily("picapweb_worker_processes", "Processes of all workers that answer")
    processes.add_metric((), sum(one["processes"] for one in said["workers"].get("workers", ()) if one["alive"]))
    yield processes


def _disk() -> Iterator[Metric]:
    usage = shutil.disk_usage(settings.PICAPWEB_DATA)
    yield GaugeMetricFamily("picapweb_data_free_bytes", "Free on the disk of the data folder", value=usage.free)
    yield GaugeMetricFamily("picapweb_data_size_bytes", "Size of that disk", value=usage.total)
    used = GaugeMetricFamily("picapweb_data_used_bytes", "What the data folder takes, at least", labels=("what",))
    for what, size in disk()["used"].items():
        used.add_metric((what,), size)
    yield used


def _webhooks() -> Iterator[Metric]:
    deliveries = GaugeMetricFamily("picapweb_webhook_deliveries", "Posts of alerts to webhooks", labels=("state",))
    found = dict(Delivery.objects.order_by().values_list("state").annotate(Count("id")))
    for state in DeliveryState.values:
        deliveries.add_metric((state.replace(" ", "_"),), found.get(state, 0))
    yield deliveries
    open_ones = Alert.objects.filter(acknowledged=None).count()
    yield GaugeMetricFamily("picapweb_alerts_open", "Alerts that nobody has acknowledged", value=open_ones)


def _retention() -> Iterator[Metric]:
    """Of the account of what was taken, which nothing is removed from."""
    jobs = CounterMetricFamily("picapweb_retention_removals", "Jobs that retention took something of", labels=("takes",))
    packets = CounterMetricFamily("picapweb_retention_removed_packets", "Packets that left the index by retention")
    size = CounterMetricFamily("picapweb_retention_removed_bytes", "Bytes of captures that went by retention")
    sums = Removal.objects.order_by().values_list("takes").annotate(Count("id"), Sum("packets"), Sum("bytes"))
    found = {takes: numbers for takes, *numbers in sums}
    for takes in Takes.values:
        jobs.add_metric((takes,), found.get(takes, [0])[0])
    packets.add_metric((), sum(numbers[1] for numbers in found.values()))
    size.add_metric((), sum(numbers[2] for numbers in found.values()))
    yield from (jobs, packets, size)
