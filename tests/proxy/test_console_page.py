"""The query console: results whose numbers lead to their packets, what is cut says so, an error has its place."""

from __future__ import annotations

import html
import re
import shlex

import pytest
from django.test import Client

from tests.jobs import run_job

CAPTURE = "protocols/zeek__wikipedia.pcap"


@pytest.fixture
def console(data, index, shared):
    """The page of a query, on each backend."""
    run_job(shared / "pcaps" / CAPTURE, index=index)
    client = Client(headers={"host": "localhost", "accept": "text/html,*/*;q=0.8"})

    def ask(q: str, status: int = 200) -> str:
        answer = client.get("/query/", {"q": q, "index": index})
        assert answer.status_code == status, answer.content.decode()[:2000]
        return answer.content.decode()

    ask.client = client
    return ask


def count(console, url: str) -> int:
    """Packets of the page that a link leads to."""
    query = html.unescape(url).partition("?")[2]
    return console.client.get(f"/packets/?{query}&as=json").json()["count"]


@pytest.mark.parametrize(
    "q",
    [
        "TopN(netsrc, n=4)",
        'TopN(transdst, Row(tcp="SYN"), n=3)',
        "GroupBy(Rows(netproto), Rows(transproto))",
        'GroupBy(Rows(appproto), filter=Row(transproto="UDP"))',
        'Options(GroupBy(Rows(appproto), filter=Row(transproto="UDP")), excludeColumns=true)',
    ],
)
def test_numbers_of_tables_are_those_of_their_links(console, q):
    rows = re.findall(r'<td class="n"><a href="([^"]*)" tabindex="-1">([\d,]+)</a>', console(q))
    assert rows
    for url, number in rows:
        assert count(console, url) == int(number.replace(",", ""))


@pytest.mark.parametrize(
    "q",
    [
        'Count(Row(tcp="SYN"))',
        "Sum(Row(transdst=53), field=length)",
        "Sum(field=tcp-payload-length)",  # packets without TCP have none
        "Max(field=length)",
        "Min(Row(transdst=53), field=length)",
        'Row(appproto="DNS")',
    ],
)
def test_figures_are_those_of_their_links(console, q):
    figure = re.search(r'<p class="figure">.*?<a href="([^"]*)">([\d,]+)', console(q), re.S)
    assert count(console, figure[1]) == int(figure[2].replace(",", "")) > 0


def test_packets_of_a_row_are_a_table(console):
    page = console("Row(netproto=IPv4)")
    total = int(re.search(r'<p class="figure"><a [^>]*>([\d,]+)</a>', page)[1])
    assert len(re.findall(r'<a class="to" href="/packets/', page)) == 50
    assert f"The first 50 are shown, {total - 50} are not" in page
    assert re.search(r'data-field="netdst" data-value="[\d.]+"', page)


def test_several_results_and_a_time(console):
    page = console('Count(Row(tcp="SYN"))\nRows(appproto)\nTopN(netsrc, n=1)')
    assert "<strong>3 results</strong>" in page and " ms" in page
    assert page.count('<section class="box result"') == 3
    rows = re.findall(r'<td class="name"><a href="[^"]*" data-field="appproto" data-value="(\w+)">', page)
    assert "DNS" in rows and "HTTP" in rows


def test_a_large_result_is_cut_and_says_so(console):
    page = console("".join("Rows(transsrc)" for _ in range(30)))
    assert "10 more are not shown" in page
    assert len(page) < 300_000
    page = console("GroupBy(Rows(netsrc), Rows(transsrc), Rows(transdst), Rows(netdst))" * 3)
    left = [int(one.replace(",", "")) for one in re.findall(r"are shown, ([\d,]+) are not", page)]
    shown = [len(re.findall(r"<tr><td", one)) for one in page.split('<section class="box result"')[1:]]
    assert len(page) < 300_000
    assert 0 < sum(shown) <= 160 and sum(left) > 0


def test_an_error_has_a_caret(console):
    page = console('Count(Row(tcp="SYN")\nRow(nosuch=', 400)
    line, caret = html.unescape(re.search(r"<pre[^>]*>([^<]*<b>[^<]*)</b></pre>", page)[1]).split("\n<b>")
    assert line == "Row(nosuch=" and caret.strip() == "^" and 'aria-invalid="true"' in page


@pytest.mark.parametrize("value", ["<script>alert(1)</script>", 'it\'s \\ "here"', "caf\u00e9 \u202e \x07", "a\nb & c;$(id)`"])
def test_odd_characters(console, value):
    q = 'Count(Row(http-hostname="{}"))'.format(value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
    page = console(q)
    assert "<script>alert" not in page
    assert html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)[1]).strip() == q
    curl = html.unescape(re.search(r"<pre class=\"wrap\">(curl .*?)</pre>", page, re.S)[1])
    assert shlex.split(curl)[-1] == q
