"""What processes have counted, all of them together (picapweb.counts)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from picapweb import counts

_BOUNDS = [*(str(bound) for bound in counts.BOUNDS), "+Inf"]


def processes() -> Iterator[Metric]:
    found = counts.everybody()
    for name, about in counts.FAMILIES.items():
        rows = [(labels, cells) for (of, labels), cells in found.items() if of == name]
        if not about.labels and not rows:
            rows = [((), [0.0] * (len(counts.BOUNDS) + 2 if about.kind == "histogram" else 1))]
        if about.kind == "histogram":
            histogram = HistogramMetricFamily(name, about.words, labels=about.labels)
            for labels, cells in rows:
                buckets = list(zip(_BOUNDS, accumulate(cells[:-1]), strict=True))
                histogram.add_metric(labels, buckets=buckets, sum_value=cells[-1])
            yield histogram
        else:
            kind = CounterMetricFamily if about.kind == "counter" else GaugeMetricFamily
            family = kind(name, about.words, labels=about.labels)
            for labels, cells in rows:
                family.add_metric(labels, cells[0])
            yield family
