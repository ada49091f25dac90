"""Alerts of standing queries: raised, found, acknowledged."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from picapweb_client import Alert, Client, PicapwebError, WebhookAnswer
from tests.python_client.made import FIRST_NS, STEP_NS, packets_made, written


def test_packets_that_come_raise_an_alert(client: Client, tmp_path: Path):
    saved = client.save("a question", "dns", alert={"threshold": 3})
    job = client.upload(written(packets_made(12), tmp_path / "alerting.pcap"), wait=180)
    alert = the_alert(client, saved.id)
    assert (alert.name, alert.count, alert.jobs, alert.saved) == ("a question", 3, (job.id,), saved.id)
    assert (alert.first_time_ns, alert.last_time_ns) == (FIRST_NS, FIRST_NS + 8 * STEP_NS)
    assert [one.number for one in alert.packets()] == [1, 5, 9]
    assert alert.acknowledged is None and client.alert(alert.id) == alert
    seen = alert.acknowledge()
    assert seen.acknowledged is not None and seen.id == alert.id
    assert list(client.alerts(saved=saved, acknowledged=False)) == []
    assert list(client.alerts(saved=saved, acknowledged=True)) == [seen]
    saved.delete()
    assert client.alert(alert.id).saved is None
    job.delete()


def test_a_webhook_is_tried(client: Client):
    listener = socket.create_server(("127.0.0.1", 0))
    posted: list[bytes] = []

    def receive() -> None:
        connection, _ = listener.accept()
        posted.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    saved = client.save("with a webhook", "dns", alert={"webhook": url, "secret": "sixteen letters or more"})
    assert saved.alert is not None and (saved.alert.webhook, saved.alert.secret_set) == (url, True)
    assert saved.test_webhook() == WebhookAnswer(True, 204, None)
    thread.join(10)
    assert posted[0].startswith(b"POST /hook ")
    saved = saved.change(alert=None)
    with pytest.raises(PicapwebError, match="no webhook"):
        saved.test_webhook()
    saved.delete()


def the_alert(client: Client, saved: int) -> Alert:
    end = time.monotonic() + 180
    while not (found := list(client.alerts(saved=saved))):
        assert time.monotonic() < end, "no alert was raised"
        time.sleep(0.1)
    (one,) = found
    return one
