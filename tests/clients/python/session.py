"""An ordinary user of python-pilosa 1.3.1: session.py HOST:PORT prints {step: what it got} as JSON.

It runs in an environment that has python-pilosa and nothing of ours. Its indexes are python-ids and python-keys; they are removed
at the end.
"""

import array
import json
import sys
import types
from datetime import datetime

import pilosa
import roaring.roaring
from pilosa.imports import Column, FieldValue
from pilosa.internal import public_pb2

# Milliseconds, a thousand times: for other nodes it makes clients of its own, and takes their milliseconds from seconds.
PATIENCE = 60_000_000


class OldArray(array.array):
    """pilosa-roaring 0.2.1 calls what Python 3.9 took away."""

    tostring = array.array.tobytes


roaring.roaring.array = types.SimpleNamespace(array=OldArray)


def _set(message, name, value) -> None:
    """The message has a field Clear; protobuf written in Python sees its method Clear() and refuses (that in C did not)."""
    if name == "Clear":
        message._fields[message.DESCRIPTOR.fields_by_name["Clear"]] = value
    else:
        object.__setattr__(message, name, value)


public_pb2.ImportRoaringRequest.__setattr__ = _set

SHARD = 1 << 20
# Naive and taken for UTC by the client's time views
NEW_YEAR, MARCH = datetime(2018, 1, 1, 10), datetime(2018, 3, 5, 7)
EPOCH = datetime(1970, 1, 1)


def nanoseconds(at: datetime) -> int:
    return int((at - EPOCH).total_seconds()) * 10**9


class Session:
    def __init__(self, address: str) -> None:
        self.address = address
        self.client = pilosa.Client(address, retry_count=0, socket_timeout=PATIENCE)
        self.said: dict = {}
        self.schema = pilosa.Schema()
        self.ids = self.schema.index("python-ids", track_existence=True)
        self.keys = self.schema.index("python-keys", keys=True, track_existence=True)
        self.fields = {
            "set": self.ids.field("set"),
            "lru": self.ids.field("lru", cache_type=pilosa.CacheType.LRU, cache_size=1000),
            "keyed": self.ids.field("keyed", keys=True),
            "int": self.ids.field("int", int_min=-1000, int_max=1000),
            "time": self.ids.field("time", time_quantum=pilosa.TimeQuantum.YEAR_MONTH_DAY_HOUR),
            "fast-time": self.ids.field("fast-time", time_quantum=pilosa.TimeQuantum.YEAR_MONTH_DAY),
            "mutex": self.ids.field("mutex", mutex=True),
            "bool": self.ids.field("bool", bool=True),
            "k-set": self.keys.field("k-set"),
            "k-keyed": self.keys.field("k-keyed", keys=True),
            "k-int": self.keys.field("k-int", int_min=-10, int_max=10),
        }

    def ask(self, step: str, query, **options) -> None:
        """One query, and what its result is to a user of the client."""
        try:
            # A client can ask the coordinator once: its second raw query goes nowhere
            keyed = query.serialize().has_keys
            client = pilosa.Client(self.address, retry_count=0, socket_timeout=PATIENCE) if keyed else self.client
            response = client.query(query, **options)
        except pilosa.PilosaError as error:
            self.said[step] = "refused: " + (error.args[0] if isinstance(error.args[0], str) else repr(error.args[0])).strip()
            return
        said = [plain(result) for result in response.results]
        self.said[step] = said[0] if len(said) == 1 else said
        if response.columns:
            self.said[step + ", columns"] = [[column.id, column.attributes] for column in response.columns]

    def bring(self, name: str, records, **options) -> None:
        self.client.import_field(self.fields[name], iter(records), **options)

    def synchronise(self) -> None:
        for index in (self.ids, self.keys):
            try:
                self.client.delete_index(index)
            except pilosa.PilosaError:
                pass  # there was none
        self.client.sync_schema(self.schema)
        server = self.client.schema()
        described = []
        for index in (self.ids, self.keys):
            there = server.index(index.name)
            described.append([there.keys, there.track_existence, there.shard_width])
            for name, field in sorted(there._fields.items()):
                cache = str(field.cache_type)
                described.append(
                    [name, field.field_type, str(field.time_quantum), field.int_min, field.int_max, field.keys, cache]
                )
        self.said["schema"] = described
        for step, attempt in {
            "the index again": lambda: self.client.create_index(self.ids),
            "a field again": lambda: self.client.create_field(self.fields["set"]),
        }.items():
            try:
                attempt()
                self.said[step] = "made"
            except pilosa.PilosaError as error:
                self.said[step] = type(error).__name__

    def imports(self) -> None:
        self.bring("set", [Column(row_id=row, column_id=row * 100 + i) for row in (1, 2, 3) for i in range(row * 10)])
        self.bring("set", [Column(row_id=9, column_id=column) for column in (0, SHARD - 1, SHARD, 5 * SHARD + 7)], batch_size=3)
        self.bring("lru", [Column(row_id=4, column_id=i) for i in range(50)])
        self.bring(
            "keyed", [Column(row_key=key, column_id=i) for i, key in enumerate(["red", "green", "red", "blue", "Größe", "red"])]
        )
        self.bring("int", [FieldValue(column_id=i, value=value) for i, value in enumerate([-1000, -1, 0, 1, 1000, 63, -63])])
        stamps = [(1, 1, NEW_YEAR), (1, 2, MARCH), (2, 3, NEW_YEAR)]
        self.bring("time", [Column(row_id=row, column_id=column, timestamp=nanoseconds(at)) for row, column, at in stamps])
        self.bring("mutex", [Column(row_id=row, column_id=column) for row, column in [(1, 1), (2, 2), (3, 1)]])
        self.bring("bool", [Column(row_id=row, column_id=column) for row, column in [(0, 1), (1, 2), (1, 1)]])
        self.bring("k-set", [Column(row_id=i % 3, column_key=f"k{i}") for i in range(9)])
        self.bring(
            "k-keyed", [Column(row_key=row, column_key=key) for row, key in [("a", "k1"), ("b", "k2"), ("a", "k3"), ("a", "ü")]]
        )
        self.bring("k-int", [FieldValue(column_key=f"k{i}", value=i - 2) for i in range(5)])
        # fast: roaring bitmaps
        self.bring("set", [Column(row_id=20, column_id=i * 3) for i in range(1000)], fast_import=True)
        self.bring("set", [Column(row_id=21, column_id=column) for column in (5, SHARD + 5)], fast_import=True)
        fast = [(1, 1, NEW_YEAR), (1, 2, MARCH)]
        self.bring(
            "fast-time",
            [Column(row_id=row, column_id=column, timestamp=int((at - EPOCH).total_seconds())) for row, column, at in fast],
            fast_import=True,
        )
        # and taken away again
        self.bring("set", [Column(row_id=2, column_id=200 + i) for i in range(5)], clear=True)
        self.bring("set", [Column(row_id=20, column_id=i * 3) for i in range(990)], fast_import=True, clear=True)
        self.bring("int", [FieldValue(column_id=5, value=63)], clear=True)
        self.client.http_request("POST", "/recalculate-caches")

    def queries(self) -> None:
        f, ids, keys = self.fields, self.ids, self.keys
        self.ask("row", f["set"].row(1))
        self.ask("row over shards", f["set"].row(9))
        self.ask("cleared row", f["set"].row(2))
        self.ask("fast row", f["set"].row(20))
        self.ask("fast row over shards", f["set"].row(21))
        self.ask("keyed row", f["keyed"].row("red"))
        self.ask("a key that is not ASCII", f["keyed"].rows())
        self.ask("unknown key", f["keyed"].row("never"))
        self.ask("union", ids.union(f["set"].row(2), f["set"].row(9)))
        self.ask("intersect", ids.intersect(f["lru"].row(4), f["keyed"].row("red"), f["mutex"].row(2)))
        self.ask("difference", ids.difference(f["keyed"].row("red"), f["mutex"].row(2)))
        self.ask("xor", ids.xor(f["bool"].row(True), f["mutex"].row(3)))
        self.ask("not", ids.count(ids.not_(f["lru"].row(4))))
        self.ask("count", ids.count(f["lru"].row(4)))
        self.ask("topn", f["set"].topn(2))
        self.ask("topn of a row", f["set"].topn(5, f["lru"].row(4)))
        self.ask("topn of keys", f["keyed"].topn(1))
        self.ask("rows", f["set"].rows())
        self.ask("rows after", f["set"].rows(prev_row=2, limit=2))
        self.ask("rows of a column", f["mutex"].rows(column=1))
        self.ask("rows of keys", f["keyed"].rows(prev_row="red", limit=2))
        for step, query in {
            "lt": f["int"].lt(0),
            "lte": f["int"].lte(-63),
            "gt": f["int"].gt(-1),
            "gte": f["int"].gte(1),
        }.items():
            self.ask(step, query)
        self.ask("equals", f["int"].equals(1000))
        self.ask("not equals", f["int"].not_equals(0))
        self.ask("not null", f["int"].not_null())
        self.ask("between", f["int"].between(-1, 1))
        self.ask("sum", f["int"].sum())
        self.ask("sum of a row", f["int"].sum(f["mutex"].row(2)))
        self.ask("min", f["int"].min())
        self.ask("max", f["int"].max(f["keyed"].row("red")))
        self.ask("mutex", ids.batch_query(f["mutex"].row(1), f["mutex"].row(2), f["mutex"].row(3)))
        self.ask("bool", ids.batch_query(f["bool"].row(True), f["bool"].row(False)))
        self.ask("time", ids.batch_query(
            f["time"].row(1),
            f["time"].row(1, from_=datetime(2018, 1, 1), to=datetime(2018, 2, 1)),
            f["time"].range(1, datetime(2018, 3, 1), datetime(2018, 4, 1)),
        ))  # fmt: skip
        self.ask("fast time", f["fast-time"].row(1, from_=datetime(2018, 3, 5), to=datetime(2018, 3, 6)))
        self.ask("group by", ids.group_by(f["mutex"].rows(), f["lru"].rows()))
        self.ask("group by, a filter and a limit", ids.group_by(f["keyed"].rows(), limit=2, filter=f["lru"].row(4)))
        self.ask("row of keyed columns", f["k-set"].row(1))
        self.ask("keyed row of keyed columns", f["k-keyed"].row("a"))
        self.ask(
            "values of keyed columns", keys.batch_query(f["k-int"].gt(0), f["k-int"].sum(), f["k-int"].sum(f["k-keyed"].row("a")))
        )
        self.ask("rows of a keyed column", f["k-keyed"].rows(column="k1"))
        self.ask("some shards", ids.count(f["set"].row(9)), shards=[1, 5])
        self.ask("an unknown field", ids.raw_query("Row(none=1)"))
        self.ask("no PQL", ids.raw_query("Row(set=1"))

    def writes(self) -> None:
        f, ids, keys = self.fields, self.ids, self.keys
        self.ask("set", ids.batch_query(f["set"].set(30, 7), f["set"].set(30, 7), f["set"].row(30)))
        self.ask("clear", ids.batch_query(f["set"].clear(30, 7), f["set"].clear(30, 7), f["set"].row(30)))
        self.ask("set a key", ids.batch_query(f["keyed"].set("new", 70), f["keyed"].row("new")))
        self.ask("set a keyed column", keys.batch_query(f["k-keyed"].set("c", "k99"), f["k-keyed"].row("c")))
        self.ask("set at a time", ids.batch_query(
            f["time"].set(5, 8, NEW_YEAR), f["time"].row(5, from_=datetime(2018, 1, 1), to=datetime(2018, 1, 2)),
        ))  # fmt: skip
        self.ask("set a value", ids.batch_query(f["int"].setvalue(0, 77), f["int"].equals(77)))
        self.ask("a value too high", f["int"].setvalue(0, 1001))
        self.ask(
            "mutex and bool",
            ids.batch_query(f["mutex"].set(7, 2), f["mutex"].row(2), f["bool"].set(False, 2), f["bool"].row(True)),
        )
        self.ask("store", ids.batch_query(f["set"].store(f["keyed"].row("red"), 40), f["set"].row(40)))
        self.ask("clear a row", ids.batch_query(f["set"].clear_row(40), f["set"].row(40)))
        self.ask("attributes", ids.batch_query(
            f["set"].set_row_attrs(1, {"name": "one", "n": -1, "yes": True, "share": 0.25}),
            ids.set_column_attrs(101, {"city": "Oslo"}),
        ))  # fmt: skip
        self.ask("attributes of a row", f["set"].row(1), exclude_columns=True)
        self.ask("attributes of columns", f["set"].row(1), column_attrs=True, exclude_attrs=True)
        self.ask("options", ids.options(f["set"].row(1), exclude_columns=True))
        self.ask("topn by attribute", f["set"].topn(5, None, "name", "one", "two"))

    def end(self) -> None:
        self.client.delete_field(self.fields["lru"])
        self.said["without a field"] = sorted(self.client.schema().index("python-ids")._fields)
        self.client.delete_index(self.ids)
        self.client.delete_index(self.keys)
        self.said["without the indexes"] = [name for name in self.client.schema()._indexes if name.startswith("python-")]


def plain(result):
    """Whatever a result is of: only what it holds."""
    held = {
        "columns": list(result.row.columns),
        "keys": list(result.row.keys),
        "attributes": result.row.attributes,
        "items": [[item.id, item.key, item.count] for item in result.count_items],
        "count": result.count,
        "value": result.value,
        "changed": result.changed,
        "groups": [[[[row.field_name, row.id_key] for row in group.groups], group.count] for group in result.group_counts],
        "rows": list(result.row_identifiers.ids),
        "row keys": list(result.row_identifiers.keys),
    }
    return {name: value for name, value in held.items() if value}


if __name__ == "__main__":
    session = Session(sys.argv[1])
    session.synchronise()
    session.imports()
    session.queries()
    session.writes()
    session.end()
    print(json.dumps(session.said, ensure_ascii=False, indent=1))
