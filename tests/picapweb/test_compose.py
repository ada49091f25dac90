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


OURS = ("migrate", "web", "worker", "live", "beat")
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")


def test_only_the_live_worker_may_capture():
    may = {name for name, service in SERVICES.items() if service.get("cap_add")}
    assert may == {"live"}
    assert set(SERVICES["live"]["cap_add"]) == {"NET_RAW", "NET_ADMIN"}
    assert SERVICES["live"]["profiles"] == ["live"]  # and it runs only where it is asked for
    assert [name for name, service in SERVICES.items() if service.get("network_mode") == "host"] == ["live"]
    assert not any(service.get("privileged") for service in SERVICES.values())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_rights_are_few(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    if name == "postgres":  # its start-up makes its folder its own, as root, and then becomes postgres
        assert service["security_opt"] == ["no-new-privileges:true"]
        return
    assert service["cap_drop"] == ["ALL"]
    # Its Python gets the right to capture by a capability of the file.
    assert service["security_opt"] == ([] if name == "live" else ["no-new-privileges:true"])
    if name in OURS or name == "valkey":
        assert service["user"].isdigit() and service["user"] != "0"


def test_what_is_written_to_is_a_volume_or_in_memory():
    for name in OURS:
        assert SERVICES[name]["volumes"] == ["data:/data"] and SERVICES[name]["tmpfs"] == ["/tmp"]


@pytest.mark.parametrize("name", ["web", "worker", "live", "beat", "postgres", "valkey"])
def test_health_is_checked(name: str):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    if name in OURS:
        assert check["test"][1:] == ["python", "manage.py", "health", name]


def test_nothing_is_reached_from_outside_but_by_loopback():
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_what_takes_long_to_end_is_given_the_time():
    """A worker is given more than up gives it, Postgres and Pilosa what they need to write everything out."""
    seconds = {
        name: int(service["stop_grace_period"].removesuffix("s"))
        for name, service in SERVICES.items()
        if "stop_grace_period" in service
    }
    assert seconds["worker"] >= 20 and seconds["live"] >= 15 and seconds["web"] >= 10
    assert min(seconds[name] for name in ("postgres", "pilosa1", "pilosa2", "pilosa3")) >= 60


def test_the_image_is_not_roots_and_has_all_apps():
    stages = DOCKERFILE.split("\nFROM ")[1:]
    last = stages[-1]
    assert re.findall(r"^USER (\S+)$", last, re.MULTILINE) == ["10001"]
    assert last.index("USER 10001") > last.rindex("RUN ")  # nothing is changed after that
    for app in sorted(path.parent.name for path in ROOT.glob("*/apps.py")):
        assert f"COPY {app} {app}" in DOCKERFILE, app
        assert f"!{app}\n" in (ROOT / ".dockerignore").read_text(encoding="utf-8"), app
    for name in re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE):
        assert (ROOT / name).exists(), name
        assert f"!{name.rstrip('/')}\n" in (ROOT / ".dockerignore").read_text(encoding="utf-8"), name


def test_the_right_to_capture_is_one_files():
    granted = re.findall(r"setcap (\S+) (\S+)", DOCKERFILE)
    assert granted == [("cap_net_raw,cap_net_admin+ep", "/opt/picapweb/bin/python-capture")]
    assert SERVICES["live"]["command"][0] == "python-capture"
    others = [SERVICES[name].get("command", ["granian"])[0] for name in OURS if name != "live"]
    assert "python-capture" not in others


def test_commands_are_those_of_up():
    """What `up` starts on one machine, and what containers run, are the same programs with the same options."""
    from picapweb.up import Options, beat_service, live_service, worker_service

    options = Options(data=ROOT / "nowhere")
    services = [worker_service(options), beat_service(options), live_service(options)]
    of_up = {service.name: list(service.argv) for service in services}
    for name in ("worker", "beat"):
        here, there = set(of_up[name][3:]), set(SERVICES[name]["command"][1:])
        assert there - here == set(), name
    assert of_up["live"][1:] == [str(ROOT / "manage.py"), "live"] and SERVICES["live"]["command"][1:] == ["manage.py", "live"]
