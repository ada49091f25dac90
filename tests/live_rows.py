"""Rows of live jobs as a live worker writes them, for tests of what shows them; nothing is captured.

As a program it makes a job of a running server a live one whose counters grow, until its standard input ends:
``python -m tests.live_rows JOB`` with PICAPWEB_DATA. A job that ends says so: its last line of standard output is its state.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import timedelta
from typing import Any

HOST = "a-host-without-a-live-worker"


def interface(name: str, state: str = "up", **more: Any) -> dict[str, Any]:
    """What a recorder says of an interface."""
    counters = ("received", "dropped_kernel", "dropped_interface", "captured", "bytes_captured", "super_frames", "unread")
    return {"name": name, "state": state, "words": "", "filter": "", "linktype": 1, **dict.fromkeys(counters, 0), **more}


def live_job(names: list[str], state: str, error: str = "", job: Any = None, **live: Any) -> Any:
    """A live job in a state (a new one, or `job` made one); `live` are columns of its LiveCapture."""
    from django.utils import timezone

    from capture.models import Job, LiveCapture
    from capture.services.options import Options

    options = live.pop("options", {})
    order = Options(**options)
    job = job or Job(index=order.index, fields=order.field_names(), dissector=order.dissector)
    job.name, job.kind, job.state, job.error, job.options = ", ".join(names), "interface", state, error, order.stored()
    job.started = timezone.now() if state != "queued" else None
    job.finished = timezone.now() if state in ("done", "stopped", "failed") else None
    job.save()
    live.setdefault("open", state in ("queued", "running"))
    live.setdefault("states", [interface(name) for name in names] if state != "queued" else [])
    if state == "running":
        live.setdefault("host", HOST)
        live.setdefault("lease_until", timezone.now() + timedelta(seconds=30))
    LiveCapture.objects.update_or_create(job=job, defaults={"interfaces": names, **live})
    return Job.objects.with_captures().get(pk=job.pk)


def grow(job: Any, packets: int) -> None:
    """One second goes by, in which so many packets came."""
    from django.utils import timezone

    from capture.models import Job

    live = job.live
    for one in live.states:
        one["received"] += packets + 1
        one["captured"] += packets
        one["dropped_kernel"] += 1
        one["bytes_captured"] += 600 * packets
    live.received = sum(one["received"] for one in live.states)
    live.captured = sum(one["captured"] for one in live.states)
    live.dropped_kernel = sum(one["dropped_kernel"] for one in live.states)
    live.bytes_captured = sum(one["bytes_captured"] for one in live.states)
    live.seconds += 1
    live.lag_packets, live.lag_seconds = packets // 2, 0.5
    live.beat = timezone.now()
    live.lease_until = live.beat + timedelta(seconds=30)
    live.rates = [*live.rates, [int(time.time()), packets, 600 * packets, 1, packets]][-120:]
    live.save()
    Job.objects.filter(pk=job.pk).update(packets_read=live.captured, bytes_captured=live.bytes_captured, state="running")


def main(pk: int) -> None:
    """See above."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")
    import django

    django.setup()
    from capture.models import Job

    job = live_job(["eth7", "wlan0"], "running", job=Job.objects.get(pk=pk))
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    for second in range(600):
        # Ever more digits, the worst that can happen to a page that must not jump; and then the rate still differs each second,
        # for who comes late.
        grow(job, 7 * 3 ** min(second, 12) + second)
        print(f"second {second}", flush=True)
        if ended.wait(0.7):
            break
    job.live.open, job.live.lease_until = False, None
    job.live.save()
    Job.objects.filter(pk=pk).update(state="done")
    print("done", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
