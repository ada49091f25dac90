"""On every capture the fast dissector gives the values that scapy gives, for every field.

Packets of link types that fast does not walk go to scapy: for those the test says nothing, and `handed_over` counts them.
"""

import pytest

from benchmarks.accuracy import corpus
from tests.robustness.packets import corpus_packets
from tests.robustness.values import differences, values_of

# Where the two differ on purpose: field -> reason. None so far.
DECISIONS: dict[str, str] = {}

PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_every_field_of_the_corpus(shared, part):
    packets = corpus_packets()[part::PARTS]
    assert len(corpus.names()) == 188
    fast, scapy = values_of(packets, "fast"), values_of(packets, "scapy")
    kept = [[{n: v for n, v in one.items() if n not in DECISIONS} for one in side] for side in (fast, scapy)]
    assert not differences(packets, *kept)
