"""Alerts are posted, signed, again until they are taken; a test by hand; where webhooks may not go."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from indexing.models import PacketIndex
from proxy.models import Alert, Delivery
from proxy.saved import deliver, watch
from proxy.saved.webhook import post
from tests.jobs import run_job
from tests.proxy.saved.receiver import receiving

SECRET = "a secret of ours, 0123456789"


@pytest.fixture(params=["embedded"])
def index(index) -> str:
    """Nothing here is a backend's business."""
    PacketIndex.objects.get_or_create(name=index)
    return index


@pytest.fixture
def posted(api, index):
    """Saves a standing query with a webhook; its URL."""

    def make(url: str, **alert: object) -> str:
        alert = {"webhook": url, "secret": SECRET, **alert}
        made = api.post("/saved/", {"name": "n", "index": index, "q": "udp", "alert": alert})
        assert made.status_code == 201, made.json()
        assert SECRET not in made.content.decode() and made.json()["alert"]["secret_set"]
        return made.json()["url"]

    yield make
    assert deliver.wait(30)


def due_now() -> None:
    """The pause until the next attempt has gone by."""
    Delivery.objects.filter(state="waiting").update(due=timezone.now() - timedelta(seconds=1))
    watch.look()
    assert deliver.wait(30)


def test_an_alert_is_posted_signed(api, index, capture, posted):
    with receiving() as receiver:
        posted(receiver.url)
        run_job(capture, index=index)
        assert deliver.wait(30)
    (alert,) = api.get("/alerts/").json()["results"]
    (body,) = receiver.bodies
    assert body["type"] == "alert" and body["alert"].items() <= alert.items()
    assert receiver.is_signed(0, SECRET) and not receiver.is_signed(0, SECRET + "x")
    headers = receiver.got[0][0]
    assert (headers["Content-Type"], headers["Host"]) == ("application/json", f"127.0.0.1:{receiver.port}")
    (delivery,) = alert["deliveries"]
    assert (delivery["state"], delivery["attempts"], delivery["status"], delivery["error"]) == ("delivered", 1, 200, None)


def test_what_is_refused_is_posted_again_and_the_alert_is_one(api, index, capture, posted, monkeypatch):
    monkeypatch.setattr(deliver, "RETRY_SECONDS", [600] * 6)  # it is due when this test says so
    with receiving(500, 429) as receiver:
        posted(receiver.url)
        run_job(capture, index=index)
        assert deliver.wait(30)
        (delivery,) = api.get("/alerts/").json()["results"][0]["deliveries"]
        assert (delivery["state"], delivery["status"], delivery["error"]) == ("waiting", 500, "answered 500")
        watch.look()  # it is not due yet
        assert deliver.wait(30) and len(receiver.got) == 1
        due_now()
        due_now()
        due_now()
    assert len(receiver.got) == 3
    assert (
        len({body for _, body in receiver.got}) == 1 and len({headers["Picapweb-Delivery"] for headers, _ in receiver.got}) == 1
    )
    assert all(receiver.is_signed(i, SECRET) for i in range(3))
    assert Alert.objects.count() == 1
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("delivered", 3)


def test_after_the_last_attempt_it_is_given_up(api, index, capture, posted):
    with receiving(*[503] * 20) as receiver:
        posted(receiver.url)
        run_job(capture, index=index)
        assert deliver.wait(30)
        for _ in range(len(deliver.RETRY_SECONDS) + 2):
            due_now()
    assert len(receiver.got) == len(deliver.RETRY_SECONDS) + 1
    (delivery,) = api.get("/alerts/").json()["results"][0]["deliveries"]
    assert (delivery["state"], delivery["next_attempt"]) == ("given up", None)


def test_what_a_sender_that_died_had_taken_is_sent_by_another(api, index, capture, posted, monkeypatch):
    with receiving() as receiver:
        posted(receiver.url)
        with monkeypatch.context() as patch:
            patch.setattr(deliver, "start", lambda: None)
            run_job(capture, index=index)
        taken = deliver.claim()
        assert taken is not None and deliver.claim() is None  # it is this one's, until it must have died
        due_now()
        assert len(receiver.got) == 1
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("delivered", 2)
    deliver._save(taken, deliver.DeliveryState.WAITING, None, "late")  # it had not died: what came of it is of no interest
    assert Delivery.objects.get().state == "delivered"


def test_a_redirect_is_not_followed(api, index, capture, posted):
    with receiving(302) as receiver:
        posted(receiver.url)
        run_job(capture, index=index)
        assert deliver.wait(30)
    assert len(receiver.got) == 1
    assert Delivery.objects.get().error == "answered 302: redirects are not followed"


def test_a_receiver_that_hangs_holds_up_no_evaluation(api, index, capture, posted, settings):
    settings.WEBHOOK_SECONDS = 1.0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        posted(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        run_job(capture, index=index)
        assert Alert.objects.count() == 1
        connected, _ = silent.accept()  # it is being sent, by another thread
        run_job(capture, index=index, again=True)
        assert Alert.objects.count() == 2
        assert deliver.wait(30)
        connected.close()
    assert {one.error for one in Delivery.objects.all()} == {"no answer in 1 s"}


def test_a_receiver_that_sends_byte_by_byte_is_ended(settings):
    settings.WEBHOOK_SECONDS = 0.6
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            connected, _ = server.accept()
            with connected:
                try:
                    while not ended.wait(0.1):
                        connected.send(b"H")
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        answer = post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", SECRET)
        ended.set()
        thread.join()
    assert not answer.taken and answer.status is None


def test_a_webhook_is_tried_by_hand(api, index, posted):
    with receiving(200, 404) as receiver:
        url = posted(receiver.url)
        assert api.post(f"{url}test-webhook/").json() == {"delivered": True, "status": 200, "error": None}
        assert api.post(f"{url}test-webhook/").json() == {"delivered": False, "status": 404, "error": "answered 404"}
        assert receiver.bodies[0]["type"] == "test" and receiver.bodies[0]["saved"]["name"] == "n"
        assert receiver.is_signed(0, SECRET)
        api.patch(url, {"alert": {"webhook": ""}})
        assert api.post(f"{url}test-webhook/").status_code == 400
        api.patch(url, {"alert": None})
        assert api.post(f"{url}test-webhook/").status_code == 400


def test_without_a_secret_one_is_made_and_told_once(api, index):
    made = api.post("/saved/", {"name": "m", "index": index, "q": "", "alert": {"webhook": "http://127.0.0.1:9/"}}).json()
    secret = made["alert"]["secret"]
    assert len(secret) == 64
    assert "secret" not in api.get(made["url"]).json()["alert"]
    assert "secret" not in api.patch(made["url"], {"alert": {"threshold": 2}}).json()["alert"]
    with receiving() as receiver:
        api.patch(made["url"], {"alert": {"webhook": receiver.url}})
        api.post(f"{made['url']}test-webhook/")
    assert receiver.is_signed(0, secret)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
        "http://[fe80::1%25eth0]/",
        "http://[fd00::1]/",
    ],
)
def test_in_server_mode_addresses_of_no_public_machine_are_refused(api, index, settings, url):
    settings.WEBHOOK_PRIVATE = False
    refused = api.post("/saved/", {"name": "n", "index": index, "alert": {"webhook": url}})
    assert (refused.status_code, refused.json()["option"]) == (400, "alert.webhook")


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "LOCALHOST"])
def test_a_name_of_such_an_address_is_found_out_when_it_is_posted_to(api, index, settings, host):
    """Numbers in other bases are names here, and addresses for who connects."""
    settings.WEBHOOK_PRIVATE = False
    with receiving() as receiver:
        made = api.post("/saved/", {"name": "n", "index": index, "alert": {"webhook": f"http://{host}:{receiver.port}/"}})
        if made.status_code == 400:
            assert made.json()["option"] == "alert.webhook" and receiver.got == []
            return
        said = api.post(f"{made.json()['url']}test-webhook/").json()
    assert not said["delivered"] and "not an address of the public internet" in said["error"]
    assert receiver.got == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(settings, monkeypatch):
    """A name that says another address each time it is asked (DNS rebinding) is asked once."""
    settings.WEBHOOK_PRIVATE = True
    resolve, asked = socket.getaddrinfo, []

    def changing(host, *args, **kwargs):
        if host != "rebound.example":
            return resolve(host, *args, **kwargs)
        asked.append(host)
        return resolve("127.0.0.1" if len(asked) == 1 else "192.0.2.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    with receiving() as receiver:
        answer = post(f"http://rebound.example:{receiver.port}/", b"{}", SECRET)
    assert (answer.taken, asked, len(receiver.got)) == (True, ["rebound.example"], 1)
    assert receiver.got[0][0]["Host"] == f"rebound.example:{receiver.port}"


@pytest.mark.parametrize("url", ["ftp://a/", "http:///x", "http://u:p@a/", "http://a:99999/", "http://a/ b", "http://ä/", "x"])
def test_what_is_no_url_of_a_webhook(api, index, url):
    refused = api.post("/saved/", {"name": "n", "index": index, "alert": {"webhook": url}})
    assert (refused.status_code, refused.json()["option"]) == (400, "alert.webhook")
