"""Django's admin: who may, what it lists, and that a job goes by the service that takes its bits and files with it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from capture.models import Job
from capture.sample import sample
from capture.services import create, storage, work
from capture.services.options import Options
from indexing.calls import CountResult
from indexing.models import Batch
from proxy.ask import ask_text
from proxy.models import Alert, SavedQuery


@pytest.fixture
def admin(data) -> Client:
    client = Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})
    client.force_login(User.objects.create_superuser("root", password="correct horse"))
    return client


@pytest.fixture
def job(data) -> Job:
    one = create.from_upload(storage.receive(iter([sample()]), "sample.pcap"), Options(name="an office"))
    work.until_idle()
    return one


def test_strangers_are_asked_who_they_are(data):
    answer = Client(headers={"host": "localhost"}).get("/admin/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/")


def test_lists_and_pages(admin, job):
    saved = SavedQuery.objects.create(name="all SYNs", q='Row(tcp="SYN")', index="net")
    alert = Alert.objects.create(saved=saved, name="all SYNs", index="net", question={}, count=3, first_column=0, last_column=9)
    batch = Batch.objects.get()
    shown = {
        "capture/job": (job.pk, "an office"),
        "indexing/batch": (batch.pk, "visible"),
        "proxy/savedquery": (saved.pk, "all SYNs"),
        "proxy/alert": (alert.pk, "all SYNs"),
        "auth/user": (User.objects.get().pk, "root"),
    }
    for path, (pk, words) in shown.items():
        for url in (f"/admin/{path}/", f"/admin/{path}/?q=1", f"/admin/{path}/{pk}/change/"):
            answer = admin.get(url)
            assert answer.status_code == 200, url
            page = answer.content.decode()
            assert "<style" not in page and " style=" not in page, url
        assert words in admin.get(f"/admin/{path}/").content.decode()
    assert admin.get("/admin/capture/job/?state__exact=done&kind__exact=file&q=office").status_code == 200


def test_nothing_of_the_queue_of_record_is_written(admin, job):
    batch = Batch.objects.get()
    for path in ("indexing/batch", "capture/job", "proxy/alert"):
        assert admin.get(f"/admin/{path}/add/").status_code == 403
    for path, pk in (("indexing/batch", batch.pk), ("capture/job", job.pk)):
        assert admin.post(f"/admin/{path}/{pk}/change/", {"state": "failed"}).status_code == 403
    assert admin.post(f"/admin/indexing/batch/{batch.pk}/delete/", {"post": "yes"}).status_code == 403
    Batch.objects.get(state="visible")


@pytest.mark.parametrize("many", [False, True])
def test_a_deleted_job_goes_with_its_bits_and_files(admin, job, many: bool):
    folder = job.folder
    assert folder.is_dir()
    if many:
        order = {"action": "delete_selected", "_selected_action": [job.pk], "post": "yes"}
        asked = admin.post("/admin/capture/job/", {**order, "post": ""})
        assert "an office" in asked.content.decode() and Job.objects.live().count() == 1
        done = admin.post("/admin/capture/job/", order)
    else:
        assert "an office" in admin.get(f"/admin/capture/job/{job.pk}/delete/").content.decode()
        done = admin.post(f"/admin/capture/job/{job.pk}/delete/", {"post": "yes"})
    assert done.status_code == 302
    assert Job.objects.live().count() == 0
    work.until_idle()
    assert not Job.objects.exists() and not Batch.objects.exists() and not folder.exists()
    (left,) = ask_text("net", 'Count(Row(tcp="SYN"))').results
    assert isinstance(left, CountResult) and left.count == 0


def test_what_is_refused_is_said(admin, job):
    answer = admin.post("/admin/capture/job/", {"action": "stop_jobs", "_selected_action": [job.pk]}, follow=True)
    assert "has ended already" in answer.content.decode()


def test_who_may_only_look_deletes_nothing(data, job):
    looker = User.objects.create_user("eve", password="correct horse", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_job"))
    client = Client(headers={"host": "localhost"})
    client.force_login(looker)
    assert client.get("/admin/capture/job/").status_code == 200
    assert client.post(f"/admin/capture/job/{job.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post("/admin/capture/job/", {"action": "stop_jobs", "_selected_action": [job.pk]})
    assert Job.objects.live().count() == 1
    assert client.get("/admin/auth/user/").status_code == 403
