"""What a job may be told: both dissectors, fast by default, each with its words; presets and fields."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.test import Client

from capture.packets.dissect import DISSECTORS
from capture.packets.registry import PRESETS
from capture.services.errors import Refused
from capture.services.options import DISSECTOR_HELP, PRESET_HELP, parse_options
from tests.server import ROOT, clean_environment


def test_fast_is_the_default_and_scapy_can_be_asked_for():
    assert parse_options({}).dissector == "fast"
    assert parse_options({"dissector": "scapy"}).dissector == "scapy"
    with pytest.raises(Refused, match="fast, scapy"):
        parse_options({"dissector": "slow"})


def test_every_dissector_and_preset_is_told_in_words():
    assert list(DISSECTOR_HELP) == list(DISSECTORS)
    assert list(PRESET_HELP) == list(PRESETS)


@pytest.mark.django_db
def test_the_form_offers_both_with_words():
    page = Client(headers={"host": "localhost", "accept": "text/html"}).get("/jobs/new/").content.decode()
    assert "<option selected>fast</option><option>scapy</option>" in page
    assert "the reference that fast is compared with" in page


def test_picap_tells_of_both(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "picap", "--help"],
        cwd=ROOT,
        env=clean_environment(PICAPWEB_DATA=str(tmp_path), COLUMNS="500"),
        capture_output=True,
        text=True,
    )
    assert "--dissector {fast,scapy}" in done.stdout
    assert "fast (default): compiled loops" in done.stdout
    assert "--fields" in done.stdout and "picap: the fields of picap" in done.stdout


def test_presets_and_fields_mix():
    assert set(parse_options({"fields": "picap,dns-qname"}).field_names()) > {*PRESETS["picap"], "dns-qname"}
    assert parse_options({}).field_names() == list(PRESETS["all"])
    with pytest.raises(Refused, match="did you mean dns-qname"):
        parse_options({"fields": "dns-qnam"})
