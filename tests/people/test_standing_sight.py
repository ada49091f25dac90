"""A standing query looks at the packets that its owner sees, and its alerts are its owner's."""

from __future__ import annotations

from typing import Any

from capture.sample import sample
from capture.services import create, storage, work
from capture.services.options import parse_options
from proxy.models import Alert
from proxy.saved import watch
from tests.people.making import browser, make


def job_of(owner: Any, **options: Any) -> int:
    upload = storage.receive(iter([sample()]), "sample.pcap")
    job = create.from_upload(upload, parse_options({"again": True, **options}), owner)
    work.until_idle()
    watch.look()
    return job.pk


def test_alerts_are_of_packets_that_the_owner_sees(data, server_mode):
    ann, bob, root = make("ann", "operator"), make("bob", "operator"), make("root", "admin")
    saved = {"name": "all", "q": "ip", "alert": {"threshold": 1}}
    for user in (ann, root):
        assert browser(user).post("/saved/", saved, content_type="application/json").status_code == 201
    theirs = job_of(bob)
    assert [alert.saved.owner.username for alert in Alert.objects.all()] == ["root"]
    assert browser(ann).get("/alerts/").json()["count"] == 0
    mine = job_of(ann, filter="tcp")
    alert = Alert.objects.get(saved__owner=ann)
    assert alert.jobs == [mine]
    assert alert.count == browser(ann).get(f"/count/?q=ip&job={mine}").json()["count"]
    shared = job_of(bob, filter="udp", shared=True)
    assert Alert.objects.filter(saved__owner=ann).latest("pk").jobs == [shared]
    # Whoever does not own it does not see it, for it counts what they may not see; an admin does.
    assert browser(ann).get("/alerts/").json()["count"] == 2
    assert browser(bob).get("/alerts/").json()["count"] == 0
    assert browser(bob).get(f"/alerts/{alert.pk}/").status_code == 404
    assert browser(bob).post(f"/alerts/{alert.pk}/acknowledge/").status_code == 404
    assert browser(root).get(f"/alerts/{alert.pk}/").status_code == 200
    assert theirs not in [job for one in Alert.objects.filter(saved__owner=ann) for job in one.jobs]
