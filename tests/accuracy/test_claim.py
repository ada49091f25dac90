"""A claim agrees with a truth exactly if some choice among the candidates gives the truth's counts."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.claim import ANYTHING, Candidates, Claim, differences

VALUES = "abc"
candidates = st.builds(
    Candidates, st.one_of(st.just(frozenset({ANYTHING})), st.frozensets(st.sampled_from(VALUES), min_size=1)), st.booleans()
)
counts = st.dictionaries(st.sampled_from(VALUES), st.integers(0, 3)).map(lambda found: +Counter(found))


def naive(claim: Claim, theirs: Counter[str]) -> bool:
    """Tries every choice."""
    packets = list(claim.open.elements())
    choices = [
        [*(VALUES if ANYTHING in packet.values else sorted(packet.values)), *([""] if packet.perhaps else [])]
        for packet in packets
    ]
    for chosen in itertools.product(*choices):
        total = claim.counts + Counter(value for value in chosen if value)
        if total == theirs:
            return True
    return False


@given(counts, st.lists(candidates, max_size=5), counts)
def test_agreement_is_that_of_trying_every_choice(certain: Counter[str], packets: list[Candidates], theirs: Counter[str]) -> None:
    claim = Claim(certain, Counter(packets))
    more, less = differences(claim, theirs)
    assert (not more and not less) is naive(claim, theirs)


def test_what_is_too_much_and_too_little_is_named() -> None:
    assert differences(Claim(Counter(a=2, b=1)), Counter(a=1, c=1)) == (Counter(a=1, b=1), Counter(c=1))


def test_a_packet_whose_candidates_are_all_wrong_is_named() -> None:
    claim = Claim(Counter(), Counter({Candidates(frozenset("ab")): 2}))
    assert differences(claim, Counter(c=1)) == (Counter({"a|b": 2}), Counter(c=1))
