"""/packets/{index}/{column}/note: one note a packet, which goes with it."""

from __future__ import annotations

import pytest

from capture.services import control
from proxy.models import PacketNote
from tests.jobs import run_job


@pytest.fixture
def packet(index, capture):
    run_job(capture, index=index)
    return f"/packets/{index}/7/"


def test_a_note_is_written_read_replaced_and_removed(api, packet):
    assert api.get(f"{packet}note").status_code == 404
    assert api.get(packet).json()["note"] is None
    said = api.put(f"{packet}note", {"text": "the first\nquery"}).json()
    assert (said["text"], said["author"]) == ("the first\nquery", None) and said["written"].endswith("Z")
    assert api.get(f"{packet}note").json() == api.get(packet).json()["note"] == said
    assert api.put(f"{packet}note", {"text": "another"}).json()["text"] == "another"
    assert PacketNote.objects.count() == 1
    assert api.delete(f"{packet}note").status_code == 204
    assert api.delete(f"{packet}note").status_code == 204
    assert api.get(f"{packet}note").status_code == 404


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_a_page_writes_it_too(client, packet):
    headers = {"accept": "text/html"}
    assert client.post(f"{packet}note", {"text": "a <b>word</b>"}, headers=headers).status_code == 303
    assert b"a &lt;b&gt;word&lt;/b&gt;" in client.get(packet, headers=headers).content
    assert client.post(f"{packet}note", {"text": " "}, headers=headers).status_code == 303
    assert not PacketNote.objects.exists()


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
@pytest.mark.parametrize(
    ("body", "status"), [({"text": ""}, 400), ({}, 400), ({"text": 7}, 400), ({"words": "x"}, 400), ({"text": "x" * 10_001}, 400)]
)
def test_bad_notes_are_refused(api, packet, body, status):
    assert api.put(f"{packet}note", body).status_code == status
    assert not PacketNote.objects.exists()


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_there_is_no_note_of_no_packet(api, index, packet):
    for column in (10**6, 2**63):
        assert api.put(f"/packets/{index}/{column}/note", {"text": "x"}).status_code == 404


@pytest.mark.parametrize("index", ["embedded"], indirect=True)
def test_notes_go_with_their_packets(api, index, capture):
    first = run_job(capture, index=index)
    second = run_job(capture, index=index, again=True)
    kept = first.packets_indexed
    for column in (0, kept - 1, kept, kept + 1):
        assert api.put(f"/packets/{index}/{column}/note", {"text": str(column)}).status_code == 200
    control.delete(first)
    assert sorted(PacketNote.objects.values_list("column", flat=True)) == [kept, kept + 1]
    assert second.packets_indexed == kept
