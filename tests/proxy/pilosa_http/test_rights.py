"""Server mode: who has not signed in changes nothing. Packet indexes: who has the permission may write, if the setting lets."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.test import Client, RequestFactory

from people.models import Person
from proxy.api.pilosa_rights import may_write_packets


@pytest.fixture
def server_mode(settings):
    settings.LOCAL_MODE = False
    settings.ALLOWED_HOSTS = ["picapweb.example"]


@pytest.fixture
def host(product, server_mode):
    return Client(headers={"host": "picapweb.example"}, enforce_csrf_checks=True)


def operator(name: str) -> User:
    user = User.objects.create_user(name)
    Person.objects.create(user=user, role="operator")
    return user


def test_only_who_has_signed_in_makes_imports_and_deletes(product, host):
    for method, path in [
        ("POST", "/index/mine"),
        ("GET", "/schema"),
        ("DELETE", "/index/mine"),
        ("POST", "/index/mine/field/f/import"),
        ("POST", "/schema"),
        ("POST", "/internal/translate/keys"),
    ]:
        assert host.generic(method, path, secure=True).status_code == 401
    host.force_login(operator("writer"))
    assert host.generic("POST", "/index/mine", secure=True).status_code == 200
    assert host.generic("DELETE", "/index/mine", secure=True).status_code == 200


def test_pages_of_other_sites_change_nothing(product, host):
    host.force_login(operator("writer"))
    answer = host.generic("POST", "/index/mine", secure=True, headers={"origin": "https://other.example"})
    assert answer.status_code == 403
    assert product.client.generic("POST", "/index/mine", headers={"origin": "https://other.example"}).status_code == 400
    assert host.get("/index/mine", secure=True).status_code == 404


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("lets", [True, False])
@pytest.mark.django_db
def test_who_may_write_to_packet_indexes(settings, local, lets):
    settings.LOCAL_MODE, settings.PACKET_WRITES = local, lets
    reader, writer = User.objects.create_user("reader"), User.objects.create_user("writer")
    writer.user_permissions.add(Permission.objects.get(codename="write_packets", content_type__app_label="indexing"))
    request = RequestFactory().post("/index/net/query")
    request.user = AnonymousUser()
    assert may_write_packets(request) == (lets and local)
    request.user = reader
    assert may_write_packets(request) == (lets and local)
    request.user = writer
    assert may_write_packets(request) == lets
