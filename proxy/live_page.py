"""What the page of a live job says in words and figures, out of the job as the API has it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from capture.models import Job, JobState
from capture.rates import newest_second, rate_now
from capture.services.options import Options
from capture.templatetags.show import duration, number, shell_interface, size
from proxy.sparkline import sparkline

OFFLOADS = "gro off lro off tso off gso off"
STATES = {"up": "up", "down": "down", "gone": "gone", "refused": "refused"}
COUNTERS = ("received", "dropped_kernel", "dropped_interface", "captured", "super_frames")


def live_page(job: Job, said: Mapping[str, Any]) -> dict[str, Any]:
    """The context of templates/proxy/live/: said is the job as the API has it."""
    live = said["live"]
    packets, size_now = rate_now(live) if not job.ended else _mean(live)
    dropped = live["dropped_by_kernel"] + live["dropped_by_interface"]
    return {
        "sentence": sentence(job, live),
        "interfaces": interfaces(live),
        "packets_now": packets,
        "bytes_now": size_now,
        "dropped": dropped,
        "dropped_share": _share(dropped, live["received"] + live["dropped_by_interface"]),
        "spark": sparkline(live["rates"], None if job.ended else newest_second(live)),
        "offloads": [f"ethtool -K {shell_interface(name)} {OFFLOADS}" for name in live["names"] if name != "any"],
        "gaps": [{"since": since, "until": until, "why": why} for since, until, why in reversed(live["gaps"])],
    }


def sentence(job: Job, live: Mapping[str, Any]) -> str:
    """What the job does now, in words that change only when that changes."""
    names = ", ".join(live["names"])
    words = f": {live['words']}" if live["words"] else ""
    if job.state == JobState.QUEUED:
        return f"Waits for a live-capture worker to capture on {names}{words}"
    if job.state == JobState.RUNNING:
        return f"Captures on {names}{words}" if live["capturing"] else f"Nobody captures on {names} now{words}"
    if job.state == JobState.STOPPING:
        return f"Is being stopped on {names}" if live["capturing"] else f"Captured on {names}; what came last is being indexed"
    if job.state == JobState.DONE:
        return f"Captured on {names}{words}"
    return f"Captured on {names} until it was stopped" if job.state == JobState.STOPPED else f"Captured on {names}"


def interfaces(live: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each interface of the order, whether or not a worker has said anything of it yet."""
    known = {one["name"]: one for one in live["interfaces"]}
    rows = []
    for name in [*live["names"], *(name for name in known if name not in live["names"])]:
        one = known.get(name)
        if one is None:
            rows.append({"name": name, "state": "waiting", "words": "", "filter": None, **dict.fromkeys(COUNTERS)})
            continue
        state = one.get("state") or ""
        row = {"name": name, "state": STATES.get(state, state), "words": one.get("words") or "", "filter": one.get("filter")}
        row |= {"linktype": one.get("linktype_name") or "", **{key: one.get(key, 0) for key in COUNTERS}}
        rows.append(row)
    return rows


def _mean(live: Mapping[str, Any]) -> tuple[float, float]:
    seconds = live["seconds"]
    return (live["captured"] / seconds, live["bytes_captured"] / seconds) if seconds > 0 else (0.0, 0.0)


def _share(part: int, whole: int) -> str:
    """Part of whole in per cent, never rounded to nothing or to all."""
    if not part or not whole:
        return "0 %"
    percent = 100 * part / whole
    return "< 0.01 %" if percent < 0.01 else f"{min(percent, 100.0):.2f} %"


def order(job: Job) -> list[dict[str, str]]:
    """The options of a live order in plain words: {option, title, words}."""
    given = {**asdict(Options()), **job.options}
    stops = [
        f"{number(given['max_packets'])} packets" if given["max_packets"] else "",
        size(given["max_bytes"]) if given["max_bytes"] else "",
        duration(given["max_seconds"]) if given["max_seconds"] else "",
    ]
    first = [one for one in stops if one]
    return [
        {"option": "max_*", "title": "Stops", "words": f"after {' or '.join(first)}" if first else "when somebody stops it"},
        {"option": "ring_bytes", "title": "Ring", "words": _ring(given)},
        {
            "option": "ring_keep_index",
            "title": "On turning",
            "words": _keeps_index(given) if given["ring_files"] else "it does not turn",
        },
        {"option": "snaplen", "title": "Snaplen", "words": f"the first {number(given['snaplen'])} bytes of a packet"},
        {
            "option": "promisc",
            "title": "Promiscuous",
            "words": "yes: packets for others too" if given["promisc"] else "no: what this machine sends and is sent",
        },
        {
            "option": "buffer_bytes",
            "title": "Kernel buffer",
            "words": f"{size(given['buffer_bytes'])} for each interface: where packets wait while the capture is busy",
        },
        {"option": "timeout", "title": "Read timeout", "words": f"{1000 * given['timeout']:g} ms"},
    ]


def _ring(given: Mapping[str, Any]) -> str:
    each = f"files of {size(given['ring_bytes'])}" if given["ring_bytes"] else "files of the server’s own size"
    kept = given["ring_files"]
    return f"{each}, the last {number(kept)} kept" if kept else f"{each}, all kept"


def _keeps_index(given: Mapping[str, Any]) -> str:
    if given["ring_keep_index"]:
        return "the oldest file goes, its packets stay in the index without bytes"
    return "the oldest file goes, and its packets leave the index with it"


def curl(origin: str, job: Job, names: list[str]) -> str:
    """The order of a live job as a command. Options that stand at their defaults are left out."""
    defaults = asdict(Options())
    wanted: dict[str, Any] = {"filter": job.filter, "index": job.index, "tags": job.tags, "dissector": job.dissector}
    body: dict[str, Any] = {"iface": names[0] if len(names) == 1 else names}
    body |= {name: value for name, value in {**wanted, **job.options}.items() if value != defaults.get(name)}
    if job.fields != Options().field_names():
        body["fields"] = job.fields
    if job.name != ", ".join(names):
        body["name"] = job.name
    return f"curl -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body, ensure_ascii=False))} {origin}"
