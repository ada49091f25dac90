"""An upload by the plain form of the New job page, without its script: the token stands in the form's address."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from capture.models import Job
from capture.sample import sample
from people.models import Person
from picapweb import upload_token

HOST = "picap.example"


@pytest.fixture
def server(data, settings) -> None:
    settings.LOCAL_MODE = False
    settings.ALLOWED_HOSTS = [HOST]
    settings.SECURE_SSL_REDIRECT = False


def signed_in(name: str) -> Client:
    Person.objects.create(user=User.objects.create_user(name, password="correct horse"), role="operator")
    client = Client(headers={"host": HOST, "accept": "text/html"}, enforce_csrf_checks=True)
    client.get("/sign-in/")
    client.force_login(User.objects.get(username=name))
    return client


def action(client: Client) -> str:
    page = client.get("/jobs/new/").content.decode()
    return html.unescape(re.search(r'id="new-job"[^>]* action="([^"]+)"', page)[1])


def send(client: Client, path: str, **headers: str) -> Any:
    return client.post(path, {"file": SimpleUploadedFile("a.pcap", sample()), "name": "mine"}, headers=headers)


def test_it_is_taken_for_its_session_alone(server):
    ann, bob = signed_in("ann"), signed_in("bob")
    path = action(ann)
    assert send(bob, path).status_code == send(ann, "/jobs/").status_code == send(ann, path[:-1]).status_code == 403
    assert send(ann, path, origin="http://elsewhere.example").status_code == 403
    assert not Job.objects.exists()
    made = send(ann, path, origin=f"http://{HOST}")
    job = Job.objects.get()
    assert (made.status_code, made["Location"]) == (303, f"/jobs/{job.pk}/")
    assert (job.name, job.owner.username) == ("mine", "ann")


def test_it_is_for_uploads_and_not_for_long(server, monkeypatch):
    ann = signed_in("ann")
    path = action(ann)
    query = path.partition("?")[2]
    for other in (f"/saved/?{query}", f"/jobs/1/delete/?{query}", f"/packets/tags?{query}"):
        assert send(ann, other).status_code == 403, other
    monkeypatch.setattr(upload_token, "SECONDS", -1)
    assert send(ann, path).status_code == 403
    assert not Job.objects.exists()


def test_local_mode_needs_none(data):
    client = Client(headers={"host": "localhost", "accept": "text/html"}, enforce_csrf_checks=True)
    assert action(client) == "/jobs/"
