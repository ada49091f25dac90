"""A short seeded part of script/fuzz-queries: the product and a real Pilosa 1.4.1 answer random queries alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.components import ROOT
from tests.differential.campaign import Campaign
from tests.differential.queries import Query
from tests.differential.rules import RULES
from tests.long import examples
from tests.product_servers import Peer


def test_every_difference_is_documented() -> None:
    text = (ROOT / "docs" / "query-language.md").read_text(encoding="utf-8")
    assert [rule for rule in RULES if f"**{rule}**" not in text] == []


def _told(campaign: Campaign) -> None:
    failures = campaign.report.failures
    assert not campaign.report.documented.keys() - set(RULES)
    assert not failures, f"{len(failures)} differences that are not documented:\n" + "\n".join(map(str, failures))


def test_the_judge_itself(plain_pilosa: Peer, shared: Path) -> None:
    """The naive engine gives what Pilosa gives, but for what Pilosa is known to have wrong."""
    campaign = Campaign(plain_pilosa, None, shared)
    campaign.load()
    _told(campaign)
    report = campaign.run(seed=7, valid=examples(100, long=3000), mutated=examples(20, long=500))
    _told(campaign)
    assert report.same > report.asked / 2


class Liar(Peer):
    """Says 1 more than a Count is."""

    def query(self, index: str, text: str, parameters: str = "") -> tuple[int, bytes]:
        status, body = super().query(index, text, parameters)
        results = json.loads(body).get("results", [])
        if len(results) == 1 and type(results[0]) is int:
            return status, json.dumps({"results": [results[0] + 1]}).encode() + b"\n"
        return status, body


def test_a_wrong_answer_is_found_and_made_small(plain_pilosa: Peer, shared: Path) -> None:
    campaign = Campaign(plain_pilosa, Liar("liar", plain_pilosa.port, _loaded=True), shared)
    campaign.load()  # of the liar too, which is the same server
    campaign.one(0, Query("c", "Count(Union(Row(s1=1), Intersect(Row(m1=2), Row(s2=3))))"))
    (failure,) = campaign.report.failures
    assert failure.query.text in ("Count(Row(s1=1))", "Count(Row(m1=2))", "Count(Row(s2=3))", "Count(Union())")


@pytest.mark.parametrize("backend", ["embedded", "pilosa"])
def test_random_queries(backend: str, plain_pilosa: Peer, shared: Path, request: pytest.FixtureRequest) -> None:
    campaign = Campaign(plain_pilosa, request.getfixturevalue(f"{backend}_product"), shared)
    campaign.load()
    report = campaign.run(seed=20, valid=examples(250, long=5000), mutated=examples(80, long=1000))
    _told(campaign)
    assert report.same > report.asked / 2
    assert report.refused > examples(10, long=100)
