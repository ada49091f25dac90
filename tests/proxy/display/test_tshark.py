"""Display filters find the very frames that tshark 4.0.17 finds, or differ for a reason that is written down.

A part of the filters over a few small captures in every run, through jobs, index and translation on both backends; all of them
over all captures with TESTS_LONG=1, or in memory (no database) by script/display-filters.
"""

from __future__ import annotations

import random
import subprocess

import numpy as np
import pytest

from benchmarks.accuracy.corpus import PCAPS
from indexing.calls import RowResult
from proxy.ask import ask
from proxy.display.compile import compile_filter
from proxy.locate import locate
from proxy.pql.parse import parse
from proxy.pql.unparse import unparse
from tests.jobs import run_job
from tests.long import LONG
from tests.proxy.display import tshark
from tests.proxy.display.comparison import CAPTURES, Compared, compare, filters

SMALL = (
    "protocols/zeek__communityid__sctp.pcap",
    "protocols/nfstream__bad-dns-traffic.pcap",
    "protocols/ipfixprobe__sip.pcap",
    "tunnels/arkime__dot1ad.pcap",
    "tunnels/nfstream__6in4tunnel.pcap",
    "tunnels/zeek__tunnels__vxlan-encapsulated-http.pcap",
)
OF_THEM = 60

needs_tshark = pytest.mark.needs("tshark", "../shared")


def some(number: int) -> list[str]:
    return random.Random(8).sample(filters(), number)


def version() -> str:
    return subprocess.run(["tshark", "--version"], capture_output=True, text=True).stdout.split()[2]


@needs_tshark
def test_the_filters_find_tsharks_frames(index, tmp_path):
    """A filter is asked once, over the jobs of all captures."""
    assert version() == tshark.VERSION
    captures, texts = (CAPTURES, filters()) if LONG else (SMALL, some(OF_THEM))
    jobs = {capture: run_job(PCAPS / capture, index=index).pk for capture in captures}
    asked: dict[str, dict[int, set[int]]] = {}

    def asker(capture, folder):
        def answer(call):
            said = unparse(call)
            if said not in asked:
                result = ask(index, [call]).results[0]
                assert isinstance(result, RowResult)
                located = locate(index, np.asarray(result.columns, np.uint64))
                asked[said] = frames = {job: set() for job in jobs.values()}
                for job, number in zip(located.job.tolist(), located.record["number"].tolist(), strict=True):
                    frames[job].add(number)
            return asked[said][jobs[capture]]

        return answer

    _judge(compare(captures, texts, tmp_path, asker), texts, captures)


@needs_tshark
def test_the_calls_alone_find_tsharks_frames(tmp_path):
    """Without index and translation: what a filter was turned into, answered with Python sets."""
    _judge(compare(SMALL, filters(), tmp_path), filters(), SMALL)


def _judge(compared: Compared, texts, captures):
    assert compared.asked == len(texts) * len(captures)
    assert not compared.unexplained, "\n".join(map(str, compared.unexplained))
    assert compared.equal > 0.9 * compared.asked
    assert sum(bool(count) for count in compared.found.values()) > 0.5 * len(texts)


@needs_tshark
def test_many_filters_in_one_run_are_what_each_finds_alone(tmp_path):
    """The truth of these tests is that of `tshark -Y`."""
    capture = PCAPS / "tunnels/zeek__tunnels__vxlan-encapsulated-http.pcap"
    texts = some(6)
    assert [tshark.frames_of(capture, text) for text in texts] == tshark.frames(capture, texts, tmp_path)


@needs_tshark
def test_what_differs_without_a_reason_is_seen(tmp_path, monkeypatch):
    """The judge itself: a filter that is turned into another one."""
    monkeypatch.setattr("tests.proxy.display.comparison.compile_filter", lambda text: compile_filter("udp"))
    with pytest.raises(AssertionError):
        _judge(compare(SMALL[:2], ["tcp"], tmp_path), ["tcp"], SMALL[:2])


@pytest.mark.parametrize("text", filters())
def test_the_pql_that_is_shown_says_the_same(text):
    call = compile_filter(text).call
    assert unparse(parse(unparse(call))[0]) == unparse(call)


def test_there_are_three_hundred_filters_and_twenty_captures():
    assert len(set(filters())) == len(filters()) >= 300
    assert len(set(CAPTURES)) >= 20
