"""POST /jobs/: every way a capture comes in, and every way it is refused."""

from __future__ import annotations

import io
import json
import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from capture.models import Job
from capture.services import work

CAPTURE = "pcaps/protocols/dpkt__nb6-http.pcap"
PACKETS = 62


@pytest.fixture
def client(data) -> Client:
    return Client(headers={"host": "localhost"})


@pytest.fixture
def pcap(shared) -> bytes:
    return (shared / CAPTURE).read_bytes()


def raw(client: Client, body: bytes, query: str = "", kind: str = "application/vnd.tcpdump.pcap"):
    return client.post(f"/jobs/{query}", body, content_type=kind)


def assert_refused(response, status: int, *words: str, option: str | None = None) -> None:
    problem = response.json()
    assert response.status_code == status == problem["status"], problem
    assert response["Content-Type"] == "application/problem+json"
    assert problem["type"]
    assert problem["title"]
    for word in words:
        assert word in problem["detail"]
    if option:
        assert problem["option"] == option
    assert not Job.objects.exists()


def test_a_multipart_upload_makes_a_job(client, pcap, data):
    response = client.post(
        "/jobs/", {"file": SimpleUploadedFile("a.pcap", pcap), "filter": "tcp", "tags": "x,y", "bufsize": "10"}
    )
    job = response.json()
    assert response.status_code == 202
    assert response["Location"] == job["url"] == f"/jobs/{job['id']}/"
    assert (job["name"], job["state"], job["kind"], job["filter"], job["tags"]) == ("a.pcap", "queued", "file", "tcp", ["x", "y"])
    assert job["options"]["bufsize"] == 10
    assert job["capture"]["size"] == len(pcap)
    assert list((data / "captures" / "incoming").iterdir()) == []
    work.until_idle()
    assert client.get(job["url"]).json()["packets"]["read"] == PACKETS


@pytest.mark.parametrize("kind", ["application/vnd.tcpdump.pcap", "application/octet-stream"])
def test_a_raw_body_makes_a_job_with_options_in_the_query_string(client, pcap, kind):
    response = raw(client, pcap, "?name=web&index=other&fields=picap", kind)
    job = response.json()
    assert response.status_code == 202
    assert (job["name"], job["index"]) == ("web", "other")
    assert "http-hostname" in job["fields"]
    work.until_idle()
    assert client.get(job["url"]).json()["state"] == "done"


def test_a_body_without_a_content_length_is_read_to_its_end(client, pcap):
    # As `curl -T -` sends it: in chunks; the server's own stream knows the end.
    response = client.generic(
        "POST",
        "/jobs/?name=chunked",
        b"",
        CONTENT_TYPE="application/octet-stream",
        CONTENT_LENGTH="",
        **{"wsgi.input": io.BytesIO(pcap)},
    )
    assert response.status_code == 202, response.content
    assert response.json()["capture"]["size"] == len(pcap)


def test_a_file_of_the_import_folder(client, pcap, data):
    (data / "import" / "in.pcap").write_bytes(pcap)
    response = client.post("/jobs/", json.dumps({"filename": "in.pcap", "filter": "tcp"}), content_type="application/json")
    assert response.status_code == 202
    work.until_idle()
    job = client.get(response.json()["url"]).json()
    assert (job["state"], job["name"], job["packets"]["read"]) == ("done", "in.pcap", PACKETS)
    assert (data / "import" / "in.pcap").exists()


def test_a_known_server_side_file_is_indexed_and_says_whose_duplicate_it_is(client, pcap, data):
    (data / "import" / "in.pcap").write_bytes(pcap)
    first = raw(client, pcap).json()
    second = client.post("/jobs/", json.dumps({"filename": "in.pcap"}), content_type="application/json").json()
    work.until_idle()
    assert client.get(second["url"]).json()["duplicate_of"] == first["id"]


@pytest.mark.parametrize("name", ["../outside.pcap", "/etc/passwd", "link.pcap", "absent.pcap", "a\0b", ""])
def test_a_path_outside_the_import_folder_is_refused(client, data, pcap, name):
    (data / "outside.pcap").write_bytes(pcap)
    (data / "import" / "link.pcap").symlink_to(data / "outside.pcap")
    response = client.post("/jobs/", json.dumps({"filename": name}), content_type="application/json")
    assert_refused(response, 400)


def test_wait_answers_when_the_job_has_ended(client, pcap):
    def work_soon() -> None:
        try:
            while not Job.objects.filter(finished__isnull=False).exists():
                work.step()
        finally:
            connection.close()

    thread = threading.Thread(target=work_soon)
    thread.start()
    try:
        assert raw(client, pcap, "?wait=600").json()["state"] == "done"
    finally:
        thread.join()


def test_a_known_file_is_offered_and_not_indexed_twice(client, pcap):
    first = raw(client, pcap).json()
    again = raw(client, pcap)
    assert again.status_code == 409
    assert again.json()["job"]["id"] == first["id"]
    assert Job.objects.count() == 1
    assert raw(client, pcap, "?again=true").status_code == 202
    assert raw(client, pcap, "?filter=udp").status_code == 202


def test_an_empty_body(client):
    assert_refused(raw(client, b""), 400, "empty")


def test_an_empty_file_in_a_form(client):
    assert_refused(client.post("/jobs/", {"file": SimpleUploadedFile("a.pcap", b"")}), 400, "empty")


def test_an_empty_json_order(client):
    assert_refused(client.post("/jobs/", "{}", content_type="application/json"), 400, "iface", "filename")


@pytest.mark.parametrize("body", ["", "[1]", "{", "null", '{"filename": 3}', '{"iface": []}', '{"iface": "a", "filename": "b"}'])
def test_json_that_orders_nothing(client, body):
    assert_refused(client.post("/jobs/", body, content_type="application/json"), 400)


def test_what_is_no_capture(client, shared):
    assert_refused(raw(client, (shared / "pcaps/malformed/derived__not-a-capture.pcap").read_bytes()), 400, "not a capture")


def test_gzip_of_what_is_no_capture(client):
    import gzip

    assert_refused(raw(client, gzip.compress(b"hello" * 100)), 400, "not a capture")


def test_a_bad_filter_has_libpcaps_words(client, pcap):
    assert_refused(raw(client, pcap, "?filter=tcp+prot+80"), 400, "tcp prot 80", "syntax error", option="filter")


@pytest.mark.parametrize(
    ("query", "option"),
    [
        ("?fitler=tcp", "fitler"),
        ("?index=Net", "index"),
        ("?bufsize=0", "bufsize"),
        ("?bufsize=ten", "bufsize"),
        ("?promisc=perhaps", "promisc"),
        ("?timeout=soon", "timeout"),
        ("?fields=netscr", "fields"),
        ("?dissector=wireshark", "dissector"),
        ("?max_packets=-1", "max_packets"),
        ("?wait=long", "wait"),
    ],
)
def test_a_bad_option_is_named(client, pcap, query, option):
    assert_refused(raw(client, pcap, query), 400, option, option=option)


def test_an_unknown_option_names_the_nearest(client, pcap):
    assert "did you mean filter" in raw(client, pcap, "?fitler=tcp").json()["detail"]


def test_an_unknown_interface_is_named(client):
    response = client.post("/jobs/", json.dumps({"iface": "nonesuch0"}), content_type="application/json")
    assert_refused(response, 400, "nonesuch0", option="iface")


def test_a_live_job_is_refused_in_words(client):
    response = client.post("/jobs/", json.dumps({"iface": "lo"}), content_type="application/json")
    assert_refused(response, 400, option="iface")


def test_an_upload_past_the_limit_is_refused_before_its_body_is_read(client, pcap, settings):
    settings.MAX_UPLOAD_BYTES = 100
    stream = io.BytesIO(pcap)
    response = client.generic(
        "POST", "/jobs/", b"", "application/octet-stream", CONTENT_LENGTH=str(len(pcap)), **{"wsgi.input": stream}
    )
    assert_refused(response, 413, "100")
    assert stream.tell() == 0


def test_a_chunked_upload_past_the_limit_leaves_nothing_behind(client, pcap, settings, data):
    settings.MAX_UPLOAD_BYTES = 100
    response = client.generic(
        "POST", "/jobs/", b"", CONTENT_TYPE="application/octet-stream", CONTENT_LENGTH="", **{"wsgi.input": io.BytesIO(pcap)}
    )
    assert_refused(response, 413)
    assert list((data / "captures" / "incoming").iterdir()) == []


def test_a_form_with_the_file_under_another_name(client, pcap):
    assert_refused(client.post("/jobs/", {"capture": SimpleUploadedFile("a.pcap", pcap)}), 400, "`file`", option="file")


def test_a_form_without_a_file(client):
    assert_refused(client.post("/jobs/", {"name": "x"}), 400, "file")


def test_another_content_type(client):
    assert_refused(raw(client, b"x", kind="text/csv"), 415, "text/csv")


def test_a_name_with_a_path_keeps_its_last_part(client, pcap):
    response = client.post("/jobs/", {"file": SimpleUploadedFile("x.pcap", pcap), "name": "<b>&"})
    assert response.json()["name"] == "<b>&"


def test_a_raw_upload_that_breaks_off_is_no_job(client, pcap, data):
    response = client.generic(
        "POST",
        "/jobs/",
        b"",
        CONTENT_TYPE="application/octet-stream",
        CONTENT_LENGTH=str(len(pcap)),
        **{"wsgi.input": io.BytesIO(pcap[:1000])},
    )
    assert_refused(response, 400, "broke off: 1,000 of")
    assert list((data / "captures" / "incoming").iterdir()) == []


def test_a_form_that_breaks_off_is_no_job(client, pcap, data):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pcap"\r\n\r\n'
    body = head + pcap + b"\r\n--x--\r\n"
    response = client.generic(
        "POST",
        "/jobs/",
        b"",
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body[:5000])},
    )
    assert_refused(response, 400, "broke off: 5,000 of")
    assert list((data / "captures" / "incoming").iterdir()) == []
