"""Standing queries: each packet that becomes visible is looked at once, and alerts are raised by threshold, window, cooldown."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from capture.services import besides, control, work
from indexing.models import Batch
from proxy.models import Alert, Arrival, Match, StandingQuery
from proxy.saved import watch
from tests.jobs import order_job, run_job

DNS = 'Row(transdst="53")'


@pytest.fixture
def standing(api, index):
    """Saves a query with alert settings in the index, which is made by a job first if there is none."""

    def make(q: str = DNS, name: str = "n", **alert: object) -> str:
        from indexing.models import PacketIndex

        PacketIndex.objects.get_or_create(name=index)
        made = api.post("/saved/", {"name": name, "index": index, "q": q, "alert": alert})
        assert made.status_code == 201, made.json()
        return made.json()["url"]

    return make


def alerts(api) -> list[dict]:
    return api.get("/alerts/").json()["results"]


def total(api, index: str, q: str) -> int:
    return api.get("/packets/", data={"index": index, "q": q, "limit": 1}).json()["count"]


def test_a_job_of_a_file_raises_an_alert_that_leads_to_its_packets(api, index, capture, standing):
    url = standing()
    job = run_job(capture, index=index)
    (alert,) = alerts(api)
    page = api.get("/packets/", data={"index": index, "q": DNS, "limit": 1000}).json()
    columns = [one["column"] for one in page["packets"]]
    assert (alert["count"], alert["first_column"], alert["last_column"]) == (page["count"], columns[0], columns[-1])
    assert (alert["name"], alert["saved_url"], alert["index"], alert["q"], alert["jobs"]) == ("n", url, index, DNS, [job.pk])
    times = sorted(one["time"] for one in page["packets"])
    assert (alert["first_time"], alert["last_time"]) == (times[0], times[-1])
    assert api.get(alert["packets_url"]).json()["count"] == page["count"]
    assert api.get(alert["first_packet"]).json()["job"] == job.pk
    assert api.get(url).json()["alert"]["raised"] is not None
    assert not Arrival.objects.exists() and not Match.objects.exists()


def test_every_packet_is_counted_once_in_batches_that_come_in_any_order(api, index, capture, standing):
    standing()
    order_job(capture, index=index, bufsize=40)
    work.step()  # the scan
    assert Batch.objects.count() > 3
    # The later batches come first.
    Batch.objects.update(urgent=False)
    waiting = Batch.objects.order_by("first_column").first()
    Batch.objects.filter(pk=waiting.pk).update(not_before=timezone.now() + timedelta(hours=1))
    work.until_idle()
    Batch.objects.filter(pk=waiting.pk).update(not_before=None)
    work.until_idle()
    watch.look()
    assert sum(one["count"] for one in alerts(api)) == total(api, index, DNS)


def test_packets_that_were_there_before_raise_none(api, index, capture, standing):
    run_job(capture, index=index)
    standing()
    watch.look()
    assert alerts(api) == []
    run_job(capture, index=index, again=True)
    assert [one["count"] for one in alerts(api)] == [total(api, index, DNS) // 2]


def test_none_is_raised_below_the_threshold_and_one_when_it_is_reached(api, index, capture, standing):
    first = run_job(capture, index=index)
    found = total(api, index, DNS)
    control.delete(first)
    work.until_idle()
    standing(threshold=2 * found)
    run_job(capture, index=index)
    assert alerts(api) == []
    second = run_job(capture, index=index, again=True)
    (alert,) = alerts(api)
    assert alert["count"] == 2 * found
    assert alert["jobs"][-1] == second.pk and len(alert["jobs"]) == 2


def test_a_window_forgets_what_came_before_it(api, index, capture, standing):
    standing(threshold=1000, window_seconds=3600)
    run_job(capture, index=index)
    assert Match.objects.get().count == total(api, index, DNS)
    Match.objects.update(at=timezone.now() - timedelta(seconds=3601), count=999)
    run_job(capture, index=index, again=True)
    assert alerts(api) == []
    Match.objects.update(at=timezone.now() - timedelta(seconds=1800), count=999)
    run_job(capture, index=index, again=True)
    assert [one["count"] for one in alerts(api)] == [999 + total(api, index, DNS) // 3]


def test_in_a_cooldown_packets_are_counted_and_told_at_its_end(api, index, capture, standing):
    standing(cooldown_seconds=3600)
    run_job(capture, index=index)
    run_job(capture, index=index, again=True)
    assert len(alerts(api)) == 1
    watch.look()
    assert len(alerts(api)) == 1
    ended = timezone.now() - timedelta(seconds=1)
    StandingQuery.objects.update(raised=ended - timedelta(hours=1), due=ended)
    watch.look()
    watch.look()
    assert [one["count"] for one in alerts(api)] == [total(api, index, DNS) // 2] * 2


def test_who_dies_between_asking_and_the_end_has_done_nothing(api, index, capture, standing, monkeypatch):
    standing()
    real = watch._keep

    def dies(*given):
        real(*given)
        raise KeyboardInterrupt  # as late as can be: the alert is written, and not committed

    monkeypatch.setattr(watch, "_keep", dies)
    monkeypatch.setattr(besides, "NAMES", [])
    run_job(capture, index=index)
    with pytest.raises(KeyboardInterrupt):
        watch.look()
    assert alerts(api) == []
    monkeypatch.setattr(watch, "_keep", real)
    watch.look()
    watch.look()
    assert [one["count"] for one in alerts(api)] == [total(api, index, DNS)]


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_many_that_look_at_once_raise_one_alert(api, index, capture, standing, monkeypatch):
    standing()
    monkeypatch.setattr(besides, "NAMES", [])
    run_job(capture, index=index)

    def looks() -> None:
        try:
            for _ in range(5):
                watch.look()
        finally:
            connection.close()

    threads = [threading.Thread(target=looks) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.look()
    assert [one["count"] for one in alerts(api)] == [total(api, index, DNS)]


def test_a_query_that_cannot_be_asked_says_why_and_holds_up_no_other(api, index, capture, standing):
    gone = run_job(capture, index=index)
    broken, good = standing(name="broken"), standing(name="good")
    assert api.patch(broken, {"jobs": [gone.pk]}).status_code == 200
    control.delete(gone)
    work.until_idle()
    job = run_job(capture, index=index)
    assert [(one["name"], one["count"]) for one in alerts(api)] == [("good", total(api, index, DNS))]
    said = api.get(broken).json()["alert"]
    assert said["error"] == f"there is no job {gone.pk}" and said["missed"] == 0
    # It is asked again of the same packets, and once it can be, it counts them.
    assert api.patch(broken, {"jobs": []}).status_code == 200
    Arrival.objects.update(not_before=None)
    watch.look()
    assert {one["name"]: one["count"] for one in alerts(api)} == dict.fromkeys(("good", "broken"), total(api, index, DNS))
    assert api.get(broken).json()["alert"]["error"] is None
    assert job.packets_indexed and api.get(good).json()["alert"]["error"] is None


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_packets_that_a_query_could_never_be_asked_of_are_counted_as_missed(api, index, capture, standing):
    gone = run_job(capture, index=index)
    url = standing()
    api.patch(url, {"jobs": [gone.pk]})
    control.delete(gone)
    work.until_idle()
    job = run_job(capture, index=index)
    for _ in range(watch.ATTEMPTS):
        Arrival.objects.update(not_before=None)
        watch.look()
    assert not Arrival.objects.exists()
    assert api.get(url).json()["alert"]["missed"] == job.packets_indexed


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_without_a_standing_query_nothing_is_written_and_one_statement_is_asked(
    api, index, capture, standing, django_assert_num_queries
):
    url = standing()
    api.patch(url, {"alert": {"enabled": False}})
    run_job(capture, index=index)
    assert not Arrival.objects.exists()
    with django_assert_num_queries(1):  # whether anything has come, a cooldown has ended, a webhook is due
        watch.look()
    assert Alert.objects.count() == 0


def test_alerts_are_acknowledged_once(api, index, capture, standing):
    standing()
    run_job(capture, index=index)
    (alert,) = alerts(api)
    assert (alert["acknowledged"], alert["acknowledged_by"], alert["deliveries"]) == (None, None, [])
    assert len(api.get("/alerts/?acknowledged=false").json()["results"]) == 1
    first = api.post(f"{alert['url']}acknowledge/").json()["acknowledged"]
    assert first is not None
    assert api.post(f"{alert['url']}acknowledge/").json()["acknowledged"] == first
    assert api.get("/alerts/?acknowledged=false").json()["results"] == []
    assert api.get("/alerts/?acknowledged=maybe").status_code == 400
    assert api.get("/alerts/99/").status_code == 404


def test_an_alert_outlives_its_saved_query(api, index, capture, standing):
    url = standing()
    run_job(capture, index=index)
    assert api.delete(url).status_code == 204
    (alert,) = alerts(api)
    assert (alert["saved"], alert["name"], alert["q"]) == (None, "n", DNS)
