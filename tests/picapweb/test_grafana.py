"""Each panel of the Grafana dashboard asks for metrics, labels and values that /metrics has."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families as parse

from capture.models import LiveWorker
from picapweb import counts
from picapweb.metrics import parts
from tests.live_rows import grow, interface, live_job
from tests.server import ROOT

DASHBOARD = json.loads((ROOT / "docs" / "grafana" / "picapweb.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SELECTOR = re.compile(r"(picapweb_\w+)\{([^}]*)\}")
BY = re.compile(r"\bby \(([^)]*)\)")
SCRAPED = {"instance"}  # what Prometheus adds


@pytest.fixture
def samples(data, broker, monkeypatch) -> dict[str, list[dict[str, str]]]:
    """name of a time series -> label sets that it has."""
    grow(live_job(["eth0"], "running", states=[interface("eth0")]), 10)
    monkeypatch.setattr(parts, "_kept", None)
    monkeypatch.setattr(parts, "_kept", None)
    LiveWorker.objects.create(host="a", worker="a/1", beat=timezone.now())
    for name, about in counts.FAMILIES.items():
        if about.kind != "gauge":
            counts.add(name, tuple("hit" if label == "result" else "200" for label in about.labels), 0.1)
    text = Client(headers={"host": "localhost"}).get("/metrics").content.decode()
    found: dict[str, list[dict[str, str]]] = {}
    for family in parse(text):
        about = counts.FAMILIES.get(family.name)
        if about is not None and about.kind == "gauge":  # of pools, which a test has none of
            found.setdefault(family.name, []).append(dict.fromkeys(about.labels, "idle"))
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def test_every_panel_asks_for_what_there_is(samples):
    asked = set()
    for panel in PANELS:
        for target in panel["targets"]:
            expression = target["expr"]
            selectors = SELECTOR.findall(expression)
            assert len(selectors) == expression.count("picapweb_"), expression
            labels: set[str] = set()
            for name, matchers in selectors:
                assert name in samples, (panel["title"], name)
                asked.add(name)
                labels |= {label for one in samples[name] for label in one}
                for label, operator, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', matchers):
                    if label in SCRAPED:
                        continue
                    has = {one[label] for one in samples[name] if label in one}
                    assert has, (panel["title"], name, label)
                    if label != "status":
                        wanted = value.split("|") if operator == "=~" else [value]
                        assert set(wanted) <= has, (panel["title"], name, wanted, has)
            by = {label.strip() for found in BY.findall(expression) for label in found.split(",")}
            assert by <= labels, (panel["title"], by, labels)
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert shown <= (by or labels), (panel["title"], shown)
    assert len(asked) > 25


def test_counters_are_asked_as_rates_and_gauges_are_not():
    for panel in PANELS:
        for target in panel["targets"]:
            for name, rated in re.findall(r"(rate\()?(picapweb_\w+)", target["expr"]):
                grows = rated.endswith(("_total", "_bucket", "_count", "_sum"))
                assert bool(name) == grows, (panel["title"], rated)


def test_panels_lie_beside_each_other():
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["description"] for panel in PANELS)
