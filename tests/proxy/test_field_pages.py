"""Pages that list fields: in groups, every field once; top values of any field on demand, kept while a query is narrowed."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from capture.packets.registry import FIELDS
from proxy import fields_page
from proxy.ask import ask_text
from proxy.field_groups import grouped, grouped_sets
from proxy.tops import field_figures
from tests.jobs import run_job

CAPTURE = "pcaps/protocols/zeek__wikipedia.pcap"


@pytest.fixture
def get(data):
    client = Client(headers={"host": "localhost", "accept": "text/html"})
    return lambda url: client.get(url)


def test_every_field_is_in_one_group():
    names = [name for group in grouped() for name in group.names]
    assert sorted(names) == sorted(FIELDS)
    assert [name for group in grouped_sets() for name in group.names] == [n for n in names if FIELDS[n].kind == "set"]


def test_the_fields_page_has_all_fields_with_their_figures(get, shared):
    run_job(shared / CAPTURE)
    page = get("/fields/").content.decode()
    rows = re.findall(r'<tr id="([^"]+)"', page)
    assert sorted(rows) == sorted(FIELDS)
    for group in grouped():
        assert f'href="#{group.anchor}"' in page and f'id="{group.anchor}"' in page


def test_figures_are_counted_anew_when_packets_came(data, shared):
    run_job(shared / CAPTURE)
    before = field_figures("net")
    assert field_figures("net") == before
    told = run_job(shared / "pcaps/protocols/dpkt__nb6-http.pcap").packets_indexed
    assert field_figures("net")["length"] == (None, before["length"][1] + told)
    assert field_figures("net")["job"] == (2, before["length"][1] + told)


def test_top_values_of_a_field_on_demand(get, shared):
    run_job(shared / CAPTURE)
    usual = get("/explore/").content.decode()
    assert 'href="/top/?field=dns-qname"' not in usual
    (more,) = re.findall(r'href="(\?[^"]*facet=dns-qname)"', usual)
    page = get("/explore/" + html.unescape(more)).content.decode()
    assert 'href="/top/?field=dns-qname"' in page
    (most,) = ask_text("net", "TopN(dns-qname, n=1)").results[0].pairs
    assert f"without {most.key}" in page
    # It stays when the query is narrowed, and goes when it is told to.
    narrowed = [html.unescape(url) for url in re.findall(r'class="name" href="(/explore/[^"]+)"', page)]
    assert narrowed and all("facet=dns-qname" in url for url in narrowed)
    assert 'href="/top/?q=' in get(narrowed[0]).content.decode()
    assert 'aria-label="do not show dns-qname"' in page
    # Links that lead elsewhere say nothing of it.
    assert not re.findall(r'href="/top/[^"]*facet=', page)


@pytest.mark.parametrize(("query", "words"), [("facet=nosuch", "nosuch"), ("facet=length", "no values to count")])
def test_a_field_that_cannot_be_shown_is_named(get, query, words):
    answer = get(f"/explore/?{query}")
    assert answer.status_code == 400
    assert words in answer.content.decode()


def test_a_field_without_values_is_shown_as_such(get, shared):
    run_job(shared / CAPTURE)
    page = get("/explore/?facet=modbus-function").content.decode()
    assert "0 values" in page and 'aria-label="do not show modbus-function"' in page


def rows(answer) -> list[str]:
    return re.findall(r'<tr id="([^"]+)"', answer.content.decode())


def test_fields_are_found_by_name_meaning_and_filter(get, shared):
    run_job(shared / CAPTURE)
    assert set(rows(get("/fields/?text=ip.src"))) >= {"netsrc", "inner-netsrc"}
    assert rows(get("/fields/?text=Server+names+that+a+ClientHello"))[:1] == ["tls-sni"]
    nothing = get("/fields/?text=nosuchthing")
    assert (rows(nothing), "has “nosuchthing” in its name" in nothing.content.decode()) == ([], True)
    having = rows(get("/fields/?having=1"))
    assert "http-hostname" in having and "modbus-function" not in having


def test_names_of_display_filters_ask_for_packets_that_have_the_field(get, shared):
    run_job(shared / CAPTURE)
    page = get("/fields/").content.decode()
    links = [html.unescape(url) for url in re.findall(r'href="(/explore/\?q=[^"]+)"', page)]
    assert len(links) > 80
    assert "/explore/?q=http.host&index=net" in links
    assert not any("frame.encap_type" in link for link in links)  # it is known, and cannot be asked for alone
    assert get("/explore/?q=http.host&index=net").status_code == 200


def test_where_counting_takes_too_long_the_page_is_there_without_figures(get, shared, monkeypatch):
    run_job(shared / CAPTURE)
    monkeypatch.setattr(fields_page, "COUNT_SECONDS", 0.0)
    answer = get("/fields/?having=1")
    assert answer.status_code == 200
    assert sorted(rows(answer)) == sorted(FIELDS)
    (link,) = re.findall(r'href="(\?[^"]*count=1)"', answer.content.decode())
    counted = get("/fields/" + html.unescape(link))
    assert "http-hostname" in rows(counted) and "modbus-function" not in rows(counted)
