"""GET /export: CSV of a field's standard view in one shard."""

from __future__ import annotations

import pytest

from tests.proxy.pilosa_http.conftest import Answer
from tests.proxy.pilosa_http.messages import bits, values


def get(both, query, accept="text/csv"):
    return both.ask("GET", f"/export?{query}", Accept=accept)


def test_lines_are_ordered_by_row_and_column_and_keys_quoted_as_go_does(both):
    both.make({"k": {"keys": True}})
    names = ['say "x"', "a,b", " lead", "trail ", "two\nlines", "cr\r", "\\.", "é", "plain", "\ttab"]
    body = bits(both.index, "k", [*names, "plain"], [*range(len(names)), 3])
    assert both.protobuf(f"/index/{both.index}/field/k/import", body).status == 200
    answer = get(both, f"index={both.index}&field=k&shard=0")
    assert answer.type == "text/plain; charset=utf-8"
    assert answer.body.startswith(b'"say ""x""",0\n"a,b",1\n')
    assert answer.body.endswith(b'plain,3\nplain,8\n"\ttab",9\n')


def test_nothing_is_an_empty_answer(both):
    both.make({"s": {}, "i": {"type": "int"}})
    assert both.protobuf(f"/index/{both.index}/field/i/import", values(both.index, "i", [1], [5])).status == 200
    assert get(both, f"index={both.index}&field=s&shard=0") == Answer(200, b"", None)
    assert get(both, f"index={both.index}&field=s&shard=18446744073709551615") == Answer(200, b"", None)
    assert get(both, f"index={both.index}&field=i&shard=0") == Answer(200, b"", None)


@pytest.mark.parametrize("accept", ["*/*", "text/csv, */*", "text/html"])
def test_text_csv_alone_is_acceptable(both, accept):
    assert get(both, "index=zz&field=f&shard=0", accept) == Answer(406, b"Not acceptable\n", "text/plain; charset=utf-8")


def test_what_is_not_there_is_a_500_and_a_bad_shard_a_400(both):
    both.make()
    assert get(both, "index=zz&field=f&shard=0").body == b"index not found\n"
    assert get(both, f"index={both.index}&field=f&shard=0") == Answer(500, b"field not found\n", "text/plain; charset=utf-8")
    assert get(both, "index=zz&field=f&shard=x") == Answer(400, b"invalid shard\n", "text/plain; charset=utf-8")
