"""Somebody who has signed in uploads by the page's script: the token is in the header, and the body is the view's to read."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from capture.models import Job
from capture.sample import sample
from people.models import Person


def signed_in(host: str) -> tuple[Client, str]:
    Person.objects.create(user=User.objects.create_user("ann", password="correct horse"), role="operator")
    client = Client(headers={"host": host, "accept": "application/json"}, enforce_csrf_checks=True)
    client.get("/sign-in/", headers={"accept": "text/html"})
    client.force_login(User.objects.get())
    return client, client.cookies["csrftoken"].value


def upload(client: Client, **headers: str) -> Any:
    return client.post("/jobs/", {"file": SimpleUploadedFile("a.pcap", sample()), "name": "mine"}, headers=headers)


def test_an_upload_with_the_token_in_the_header(data, settings):
    settings.LOCAL_MODE = False
    settings.ALLOWED_HOSTS = ["picap.example"]
    settings.SECURE_SSL_REDIRECT = False
    client, token = signed_in("picap.example")
    assert upload(client).status_code == 403
    assert upload(client, **{"x-csrftoken": "x" * 32}).status_code == 403
    assert not Job.objects.exists()
    made = upload(client, **{"x-csrftoken": token})
    assert (made.status_code, made.json()["name"]) == (202, "mine")
    assert Job.objects.get().owner == User.objects.get()
    # A view that is not a page as well.
    assert client.post("/count/", {"q": ""}).status_code == 403
    assert client.post("/count/", {"q": ""}, headers={"x-csrftoken": token}).status_code in (200, 404)


def test_who_signed_in_for_the_admin_works_on_in_local_mode(data):
    """There is no token in local mode: Host and Origin are looked at in its place."""
    client, _ = signed_in("localhost")
    assert upload(client).status_code == 202
    assert client.post("/count/", {"q": ""}).status_code in (200, 404)
