"""The same random writes to a real Pilosa: every one returns the same, and the rows are the same at the end."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from indexing.calls import BoolResult, Call, NoResult, RowRef
from proxy.pql.unparse import unparse
from tests.indexing.client.embedded.conftest import FIELDS, Asker
from tests.indexing.client.embedded.test_against_naive import COLUMNS, ROWS, SETS, Random, in_ids, in_naive
from tests.pilosa import PilosaServer, pilosa_server  # noqa: F401


def post(server: PilosaServer, path: str, body: str) -> Any:
    request = urllib.request.Request(f"http://{server.host}:{server.port}{path}", body.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def excused(call: Call, theirs: bool | None) -> bool:
    """Pilosa says of Clear() of a time field what became of its last view, and of ClearRow() also whether it held containers that
    Clear() had emptied."""
    ref = call.args.get("row")
    if call.name == "Clear":
        return ref is not None and FIELDS[ref.field].type == "time"
    return call.name == "ClearRow" and theirs is True


def reads_no_times_to_now_and_no_ints(call: Call) -> bool:
    """Whether Pilosa's source of a Store() is right: comparisons are not always; a time without an end depends on today."""
    return call.name != "Store" or not ("condition" in str(call) or ("'from'" in str(call) and "'to'" not in str(call)))


@pytest.mark.parametrize("seed", [1, 2])
def test_writes_return_what_pilosa_returns_and_leave_what_it_leaves(
    people: Asker,
    pilosa_server: PilosaServer,  # noqa: F811
    seed: int,
) -> None:
    index = f"written-{seed}"
    post(pilosa_server, f"/index/{index}", "")
    for name, field in in_naive().fields.items():
        post(pilosa_server, f"/index/{index}/field/{name}", json.dumps({"options": field.options}))
    some = Random(seed)
    calls = list(filter(reads_no_times_to_now_and_no_ints, (some.write() for _ in range(600))))
    # The shards of a request are, to Pilosa, those that were there when it began
    first = [Call("Set", [], {"row": RowRef("none", 0), "column": column}) for column in COLUMNS]
    post(pilosa_server, f"/index/{index}/query", "".join(map(unparse, first)))
    people.query(*first)
    theirs = post(pilosa_server, f"/index/{index}/query", "".join(map(unparse, calls)))["results"]
    ours = people.query(*map(in_ids, calls)).results
    for call, their, our in zip(calls, theirs, ours, strict=True):
        if not excused(call, their):
            assert our == (NoResult() if their is None else BoolResult(their)), unparse(call)
    reads = [
        Call("Row", [], {"row": RowRef(field, number)}) for field in SETS for number in ([False, True] if field == "b" else ROWS)
    ]
    found = post(pilosa_server, f"/index/{index}/query", "".join(map(unparse, reads)))["results"]
    assert [people.columns(in_ids(read)) for read in reads] == [their["columns"] for their in found]
