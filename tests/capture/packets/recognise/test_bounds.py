"""The compiled recogniser reads nothing outside of a payload."""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys

from tests.capture.packets.applications.both import mutations
from tests.capture.packets.recognise.payloads import Payload, corpus, plain
from tests.capture.packets.recognise.test_compiled import EXAMPLES, at_all_ports, prefixes
from tests.capture.packets.recognise.test_recognise import CASES
from tests.components import ROOT


def assert_read_within(payloads: list[Payload]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.capture.packets.recognise.alone"],
        input=pickle.dumps(payloads),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PICAPWEB_BOUNDS_CHECK": "1"},
        check=True,
    )
    got = json.loads(done.stdout)
    assert got == json.loads(json.dumps([plain(*payload) for payload in payloads]))


def test_nothing_is_read_outside_of_made_payloads() -> None:
    rng = random.Random(1)
    payloads = [cut for payload in EXAMPLES for cut in (payload, *prefixes(payload, 300))]
    payloads += [moved for *_, payload in CASES for moved in at_all_ports(payload[: rng.randrange(1, 20)])]
    payloads += list(mutations(EXAMPLES, 5000))
    assert_read_within(payloads)


def test_nothing_is_read_outside_of_payloads_of_the_corpus() -> None:
    chosen = random.Random(2).sample(corpus(), 1500)
    payloads = [cut for payload in chosen[:300] for cut in prefixes(payload)]
    assert_read_within(payloads + chosen + list(mutations(chosen, 5000)))
