"""docker/compose.yaml says what it must: fixed versions, replicas = nodes, every variable one that is read."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.server import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]


def test_nothing_is_latest():
    images = {service["image"] for service in SERVICES.values()}
    for dockerfile in ROOT.glob("docker/**/Dockerfile"):
        images |= set(re.findall(r"^FROM (\S+)", dockerfile.read_text(encoding="utf-8"), re.MULTILINE))
    for image in images:
        tag = image.rpartition("/")[2].partition(":")[2]
        assert tag, image
        assert tag != "latest"


def test_pilosas_replicas_are_its_nodes():
    """With fewer, a cluster that lost a node undercounts in silence."""
    nodes = {name: service["command"] for name, service in SERVICES.items() if name.startswith("pilosa")}
    assert len(nodes) == 3
    assert {command[command.index("--cluster.replicas") + 1] for command in nodes.values()} == {"3"}
    assert sum("--cluster.coordinator" in command for command in nodes.values()) == 1
    hosts = SERVICES["web"]["environment"]["INDEX_URL"].removeprefix("pilosa://").split(",")
    assert sorted(hosts) == sorted(f"{name}:10101" for name in nodes)


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "beat", "live"])
def test_every_variable_is_a_documented_one(name: str):
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(SERVICES[name]["environment"]) <= documented


def test_what_is_needed_is_there():
    assert {"web", "worker", "beat", "postgres", "valkey"} <= set(SERVICES)
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in COMPOSE["volumes"]
        for other in service.get("depends_on", {}):
            assert other in SERVICES
